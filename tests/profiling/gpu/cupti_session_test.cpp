#include "profiling/gpu/cupti_session.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "profiling/gpu/kernel_profiler.hpp"
#include "tests/profiling/gpu/cupti_records.hpp"
#include "tests/profiling/gpu/mock_cupti.hpp"
#include "tests/support/temp_folder.hpp"

using namespace profiling;
using namespace profiling_test;

namespace {

// The mock as the library that a session opens; as new for each test.
MockCupti& fresh_mock() {
  auto library = SharedLibrary::open(DMSCOPE_MOCK_CUPTI, true);
  if (!library) FAIL(library.error().message);
  const auto get = reinterpret_cast<MockCupti* (*)()>(library->symbol("mock_cupti"));
  REQUIRE(get != nullptr);
  std::destroy_at(get());
  std::construct_at(get());
  get()->next_record = &next_record_by_size;
  return *get();
}

// Any library that is there stands for the driver.
CuptiPaths paths() {
  return {DMSCOPE_MOCK_CUPTI, DMSCOPE_MOCK_CUPTI};
}

std::string refusal() {
  const auto session = CuptiSession::start(paths());
  return session ? "" : session.error().message;
}

std::unique_ptr<CuptiSession> start() {
  auto session = CuptiSession::start(paths());
  if (!session) FAIL(session.error().message);
  return std::move(*session);
}

bool records(const MockCupti& mock, CUpti_ActivityKind kind) {
  return std::find(mock.enabled.begin(), mock.enabled.end(), kind) != mock.enabled.end();
}

// A variable of the environment as it was, however the test ends.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

void deliver(MockCupti& mock, const RecordBytes& bytes) {
  std::uint8_t* const buffer = mock.take();
  REQUIRE(buffer != nullptr);
  bytes.copy_to(buffer);
  std::erase(mock.held, buffer);
  mock.complete(nullptr, 0, buffer, kBufferBytes, bytes.size());
}

void tell_node(MockCupti& mock, CUpti_CallbackId id, const CUpti_GraphData& graph) {
  CUpti_ResourceData resource{};
  resource.resourceDescriptor = const_cast<CUpti_GraphData*>(&graph);
  mock.callback(mock.user, CUPTI_CB_DOMAIN_RESOURCE, id, &resource);
}

}  // namespace

TEST_CASE("CuptiSession, without a driver there is none, and CUPTI is not even opened") {
  fresh_mock();
  const auto session = CuptiSession::start({DMSCOPE_MOCK_CUPTI, "/nonexistent/libcuda.so.1"});
  REQUIRE_FALSE(session);
  CHECK(session.error().message.find("no NVIDIA driver") != std::string::npos);
}

TEST_CASE("CuptiSession, a library that is missing, old or of another version is refused") {
  MockCupti& mock = fresh_mock();
  const auto missing = CuptiSession::start({"/nonexistent/libcupti.so.13", DMSCOPE_MOCK_CUPTI});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("not installed") != std::string::npos);
  mock.version = 130000;
  CHECK(refusal().find("CUPTI 130000, expected 130001") != std::string::npos);
  mock.version = 27;
  CHECK(refusal().find("CUPTI 27, expected 130001") != std::string::npos);
  mock.version = 140000;
  CHECK(refusal().find("expected one of version 13") != std::string::npos);
  mock.version = 130300;
  CHECK(refusal().empty());
}

TEST_CASE("CuptiSession, a library that cannot be used does not end the search for one") {
  namespace fs = std::filesystem;
  const support::TempFolder folder;
  const Environment home("CUDA_HOME", (folder / "old").string());
  const Environment path("CUDA_PATH", (folder / "new").string());
  const auto install = [&](const char* library, const fs::path& where) {
    fs::create_directories(folder.path() / where);
    fs::copy_file(library, folder.path() / where / "libcupti.so.13");
  };
  install(DMSCOPE_MOCK_NVML, "old/extras/CUPTI/lib64");  // has none of the functions
  install(DMSCOPE_MOCK_OLD_CUPTI, "old/lib64");
  install(DMSCOPE_MOCK_CUPTI, "new/lib64");
  const auto session = CuptiSession::start({{}, DMSCOPE_MOCK_CUPTI});
  if (!session) FAIL(session.error().message);
  CHECK((*session)->version() == CUPTI_API_VERSION);
  CHECK((*session)->path() == (folder / "new/lib64/libcupti.so.13").string());
  CHECK(CuptiSession::start({DMSCOPE_MOCK_OLD_CUPTI, DMSCOPE_MOCK_CUPTI}).error().message.find("130000") !=
        std::string::npos);
}

TEST_CASE("CuptiSession, names the tool that holds CUPTI") {
  MockCupti& mock = fresh_mock();
  mock.subscribe_result = CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED;
  mock.holder = "Nsight Systems";
  CHECK(refusal() == "CUPTI is held by Nsight Systems");
  mock.holder.clear();
  CHECK(refusal() == "CUPTI is held by another tool");
  mock.holder = std::string(100, 'x');  // longer than the room for it
  CHECK(refusal().size() < 100);
}

TEST_CASE("CuptiSession, says what CUPTI answers where it does not work") {
  MockCupti& mock = fresh_mock();
  mock.subscribe_result = CUPTI_ERROR_UNKNOWN;
  CHECK(refusal() == "CUPTI cannot be used: CUPTI_ERROR_UNKNOWN (999)");
}

TEST_CASE("CuptiSession, records graphs or what is in them, never both") {
  MockCupti& mock = fresh_mock();
  const auto session = start();
  CHECK(mock.enabled.empty());
  REQUIRE(session->set_mode(ProfileMode::light));
  CHECK(records(mock, CUPTI_ACTIVITY_KIND_GRAPH_TRACE));
  CHECK(records(mock, CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL));
  const auto& calls = mock.runtime_calls;
  CHECK(std::count(calls.begin(), calls.end(), CUPTI_RUNTIME_TRACE_CBID___cudaLaunchKernel_v13000) == 1);
  for (const std::uint32_t id :
       {277U, 279U, 306U, 216U, 418U, 421U, 422U, 428U}) {  // the driver's copies and sets
    CHECK(std::count(mock.driver_calls.begin(), mock.driver_calls.end(), id) == 1);
  }
  REQUIRE(session->set_mode(ProfileMode::detailed));
  CHECK_FALSE(records(mock, CUPTI_ACTIVITY_KIND_GRAPH_TRACE));
  CHECK(records(mock, CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL));
  CHECK(records(mock, CUPTI_ACTIVITY_KIND_MEMCPY));
  CHECK(mock.enabled.size() == 5);  // each once
  REQUIRE(session->set_mode(ProfileMode::off));
  CHECK(mock.enabled.empty());
  CHECK(mock.runtime_calls.empty());
  CHECK(mock.driver_calls.empty());
  CHECK(mock.timestamp_callbacks == 1);
}

TEST_CASE("CuptiSession, off before anything was recorded asks nothing of CUPTI") {
  MockCupti& mock = fresh_mock();
  const auto session = start();
  const std::size_t before = mock.log.size();
  REQUIRE(session->set_mode(ProfileMode::off));
  CHECK(mock.log.size() == before);
  CHECK(mock.flushes == 0);
}

TEST_CASE("CuptiSession, records that come in real time are brought to the steady clock") {
  MockCupti& mock = fresh_mock();
  const auto session = start();
  const auto now = [](auto clock) {
    return static_cast<std::uint64_t>(clock.now().time_since_epoch() / std::chrono::nanoseconds(1));
  };
  RecordBytes bytes;
  const std::uint64_t steady = now(std::chrono::steady_clock());
  const std::uint64_t realtime = now(std::chrono::system_clock());
  bytes.add(kernel_record(1, "k", steady, steady + 50));
  bytes.add(kernel_record(2, "k", realtime, realtime + 50));
  bytes.add(kernel_record(3, "k", 12'345, 12'400));  // of no clock that is known
  deliver(mock, bytes);
  std::vector<Activity> found;
  REQUIRE(session->read(found));
  REQUIRE(found.size() == 3);
  CHECK(found[0].start_ns == steady);
  const std::int64_t off = static_cast<std::int64_t>(found[1].start_ns - steady);
  CHECK(std::abs(off) < 100'000'000);
  CHECK(found[1].end_ns - found[1].start_ns == 50);
  CHECK(found[2].start_ns == 12'345);
}

TEST_CASE("CuptiSession, a node whose graph is not told is a loss, and of no graph") {
  MockCupti& mock = fresh_mock();
  const auto session = start();
  std::uint64_t graph = 3, node = 11;
  CUpti_GraphData data{};
  data.graph = reinterpret_cast<CUgraph>(&graph);
  data.node = reinterpret_cast<CUgraphNode>(&node);
  data.nodeType = CU_GRAPH_NODE_TYPE_KERNEL;
  session->nodes().open_scope({-1, engine::Phase::decode, 0, 1, 0});
  mock.graph_id_result = CUPTI_ERROR_INVALID_PARAMETER;
  tell_node(mock, CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, data);
  CHECK_FALSE(session->nodes().find(11));
  CHECK(session->counts().unknown_nodes == 1);
  mock.graph_id_result = CUPTI_SUCCESS;
  tell_node(mock, CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, data);
  CHECK(session->nodes().find(11)->graph == 3);
  CHECK(session->counts().unknown_nodes == 1);
}

TEST_CASE("CuptiSession, a kind that cannot be recorded leaves everything off, with the reason") {
  MockCupti& mock = fresh_mock();
  const auto session = start();
  mock.enable_result = CUPTI_ERROR_INSUFFICIENT_PRIVILEGES;
  const auto status = session->set_mode(ProfileMode::detailed);
  REQUIRE_FALSE(status);
  CHECK(status.error().message.find("MOCK_ERROR (35)") != std::string::npos);
  CHECK(mock.enabled.empty());
}

TEST_CASE("CuptiSession, begins and ends in the order that CUPTI wants") {
  MockCupti& mock = fresh_mock();
  {
    const auto session = start();
    REQUIRE(session->set_mode(ProfileMode::light));
    session->end();
    session->end();
    CHECK_FALSE(mock.subscribed);
    CHECK(mock.enabled.empty());
  }
  CHECK(std::vector(mock.log.begin(), mock.log.begin() + 4) ==
        std::vector<std::string>{"subscribe", "clock", "buffers", "enable"});
  const auto force = std::find(mock.log.begin(), mock.log.end(), "force");
  REQUIRE(force != mock.log.end());
  CHECK(*(force - 1) == "flush");
  CHECK(mock.log.back() == "unsubscribe");
  CHECK(mock.subscriptions == 1);
}

TEST_CASE("CuptiSession, pushes ids, numbers streams and reads what comes back") {
  MockCupti& mock = fresh_mock();
  const auto session = start();
  session->push(42);
  CHECK(mock.ids == std::vector<std::uint64_t>{42});
  session->pop();
  CHECK(mock.ids.empty());
  const auto stream = session->stream_number(nullptr);
  REQUIRE(stream);
  CHECK(stream->stream == 13);
  CHECK(stream->device == 2);
  RecordBytes bytes;
  bytes.add(kernel_record(5, "gemv", 100, 200));
  deliver(mock, bytes);
  mock.dropped = 3;
  session->flush(false);
  session->flush(false);
  std::vector<Activity> activities;
  REQUIRE(session->read(activities));
  REQUIRE(activities.size() == 1);
  CHECK(activities[0].start_ns == 100);  // already our clock's
  CHECK_FALSE(session->read(activities));
  CHECK(session->counts().dropped == 3);
}

TEST_CASE("CuptiSession, maps times where CUPTI does not take our clock") {
  MockCupti& mock = fresh_mock();
  mock.has_clock = false;
  const auto session = start();
  RecordBytes bytes;
  bytes.add(kernel_record(5, "gemv", 1, 5));  // the mock's clock always says 1
  bytes.add(kernel_record(6, "untimed", 0, 0));
  const auto before = std::chrono::steady_clock::now().time_since_epoch();
  deliver(mock, bytes);
  std::vector<Activity> activities;
  REQUIRE(session->read(activities));
  CHECK(activities[0].start_ns >= static_cast<std::uint64_t>(std::chrono::nanoseconds(before).count()));
  CHECK(activities[0].end_ns - activities[0].start_ns == 4);
  CHECK_FALSE(is_timed(activities[1]));
}

TEST_CASE("CuptiSession, refuses buffers beyond its limit and counts them") {
  MockCupti& mock = fresh_mock();
  const auto session = start();
  for (std::size_t i = 0; i < kMaxBuffers; ++i) REQUIRE(mock.take() != nullptr);
  CHECK(mock.take() == nullptr);
  CHECK(mock.take() == nullptr);
  CHECK(session->counts().refused_buffers == 2);
  for (std::uint8_t* const buffer : mock.held) mock.complete(nullptr, 0, buffer, kBufferBytes, 0);
  mock.held.clear();
  std::vector<Activity> activities;
  while (session->read(activities)) CHECK(activities.empty());
  std::uint8_t* const again = mock.take();
  REQUIRE(again != nullptr);
  mock.complete(nullptr, 0, again, kBufferBytes, 0);
}

TEST_CASE("CuptiSession, buffers that CUPTI holds at the end may come late or never") {
  MockCupti& mock = fresh_mock();
  std::uint8_t* late = nullptr;
  {
    const auto session = start();
    late = mock.take();
    REQUIRE(late != nullptr);
    session->end();
    mock.complete(nullptr, 0, late, kBufferBytes, 0);  // after the end, still read
    std::vector<Activity> activities;
    CHECK(session->read(activities));
    late = mock.take();
    REQUIRE(late != nullptr);
  }
  late[kBufferBytes - 1] = 1;  // still CUPTI's memory
  mock.complete(nullptr, 0, late, kBufferBytes, 0);
  CHECK(mock.take() == nullptr);  // there is no session any more
  std::free(late);                // the process would have ended
}

TEST_CASE("CuptiSession, knows the nodes of graphs that are captured and instantiated") {
  MockCupti& mock = fresh_mock();
  const auto session = start();
  std::uint64_t graph = 1, exec = 2, node = 11, clone = 21;
  CUpti_GraphData data{};
  data.graph = reinterpret_cast<CUgraph>(&graph);
  data.node = reinterpret_cast<CUgraphNode>(&node);
  data.nodeType = CU_GRAPH_NODE_TYPE_KERNEL;
  session->nodes().open_scope({-1, engine::Phase::decode, 3, 8, 512});
  tell_node(mock, CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, data);
  session->nodes().close_scope();
  data.graph = reinterpret_cast<CUgraph>(&exec);
  data.originalNode = data.node;
  data.node = reinterpret_cast<CUgraphNode>(&clone);
  tell_node(mock, CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, data);
  tell_node(mock, CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED, data);
  const auto found = session->nodes().find(21);
  REQUIRE(found);
  CHECK(found->layer == 3);
  CHECK(found->operation == 8);
  CHECK(found->graph == 2);
  CHECK(found->bytes == 512);
}

TEST_CASE("CuptiSession, records come out of a profiler as spans") {
  MockCupti& mock = fresh_mock();
  const auto session = start();
  engine::GpuRecords records;
  {
    KernelProfiler profiler(session.get(), {.mode = ProfileMode::detailed, .nvml_library = "/nonexistent"});
    const auto start = std::chrono::steady_clock::now().time_since_epoch().count();
    profiler.start_run(start);
    profiler.enter({7, engine::Phase::decode, 1, 2, 64});
    REQUIRE(mock.ids.size() == 1);
    const std::uint64_t id = mock.ids.back();
    profiler.leave();
    const auto now = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    RecordBytes bytes;
    bytes.add(kernel_record(5, "_Z4gemvIfEvPKT_", now, now + 50));
    bytes.add(scope_record(5, id));
    deliver(mock, bytes);
    profiler.finish_run(records);
  }
  REQUIRE(records.spans.size() == 1);
  CHECK(records.spans[0].step == 7);
  CHECK(records.spans[0].end_ns - records.spans[0].start_ns == 50);
  CHECK(records.kernels == std::vector<std::string>{"gemv<float>"});
  CHECK_FALSE(mock.enabled.empty());  // another run goes on with the same session
}
