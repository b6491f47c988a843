#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "profiling/gpu/kernel_profiler.hpp"
#include "tests/profiling/gpu/activities.hpp"

using namespace profiling;
using namespace profiling_test;

namespace {

std::uint64_t steady_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

// A GPU that records what the test says, when it is flushed.
class FakeSource final : public ActivitySource {
 public:
  engine::Status set_mode(ProfileMode mode) override {
    if (!refuses.empty()) return engine::failed("{}", refuses);
    modes.push_back(mode);
    return {};
  }
  void push(std::uint64_t id) override { ids.push_back(id); }
  void pop() override { ++pops; }
  std::optional<StreamNumber> stream_number(void* stream) override {
    if (stream == nullptr) return std::nullopt;
    return StreamNumber{0, 7};
  }
  GraphNodeMap& nodes() override { return nodes_; }
  void find_devices() override {
    const std::lock_guard lock(mutex_);
    devices_ = {{0, "Test GPU", "GPU-00000000-0000-0000-0000-000000000000"}};
  }
  std::vector<FoundDevice> devices() override {
    const std::lock_guard lock(mutex_);
    return devices_;
  }
  void flush(bool forced) override {
    const std::lock_guard lock(mutex_);
    ++flushes;
    ready_.insert(ready_.end(), complete_.begin(), complete_.end());
    complete_.clear();
    if (forced) {
      ready_.insert(ready_.end(), unfinished_.begin(), unfinished_.end());
      unfinished_.clear();
    }
  }
  bool read(std::vector<Activity>& out) override {
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) return false;
    out = ready_.front();
    ready_.pop_front();
    return true;
  }
  SourceCounts counts() override {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

  // The test's side.
  void record(std::vector<Activity> batch) {
    const std::lock_guard lock(mutex_);
    complete_.push_back(std::move(batch));
  }
  void record_unfinished(std::vector<Activity> batch) {
    const std::lock_guard lock(mutex_);
    unfinished_.push_back(std::move(batch));
  }
  void count(const SourceCounts& counts) {
    const std::lock_guard lock(mutex_);
    counts_ = counts;
  }

  std::string refuses;
  std::vector<ProfileMode> modes;
  std::vector<std::uint64_t> ids;
  int pops = 0;
  std::atomic<int> flushes = 0;

 private:
  std::mutex mutex_;
  GraphNodeMap nodes_;
  std::vector<FoundDevice> devices_;
  std::deque<std::vector<Activity>> complete_, unfinished_, ready_;
  SourceCounts counts_;
};

// Takes until the condition holds, as steps would.
bool take_until(KernelProfiler& profiler, engine::GpuRecords& records, const std::function<bool()>& done) {
  for (int i = 0; i < 500 && !done(); ++i) {
    profiler.take(records);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return done();
}

const engine::RecordsLost* loss(const engine::GpuRecords& records, const std::string& what) {
  const engine::RecordsLost* found = nullptr;
  for (const auto& lost : records.losses) {
    if (lost.what == what) found = &lost;
  }
  return found;
}

KernelProfilerOptions options(ProfileMode mode) {
  return {.mode = mode, .nvml_library = "/nonexistent/libnvidia-ml.so"};
}

}  // namespace

TEST_CASE("KernelProfiler, gives back a step's kernels with their operation") {
  FakeSource source;
  KernelProfiler profiler(&source, options(ProfileMode::detailed));
  CHECK(profiler.times_kernels());
  profiler.name_stream(&source, "decode");
  const auto start = static_cast<std::int64_t>(steady_ns());
  profiler.start_run(start);
  profiler.enter({0, engine::Phase::decode, 2, 5, 1'000});
  profiler.leave();
  REQUIRE(source.ids.size() == 1);
  CHECK(source.pops == 1);
  const std::uint64_t now = steady_ns();
  source.record({kernel(1, "gemv", now), scope(1, source.ids[0])});
  engine::GpuRecords records;
  REQUIRE(take_until(profiler, records, [&] { return !records.spans.empty(); }));
  CHECK(records.kernels == std::vector<std::string>{"gemv"});
  CHECK(records.spans[0].start_ns == static_cast<std::int64_t>(now) - start);
  CHECK(records.spans[0].layer == 2);
  CHECK(records.spans[0].operation == 5);
  CHECK(records.spans[0].bytes == 1'000);
  REQUIRE(records.parameters.size() == 1);
  CHECK(records.parameters[0].value == "detailed");
  profiler.finish_run(records);
  std::vector<std::string> names;
  for (const auto& track : records.tracks) names.push_back(track.name);
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"Test GPU", "decode", "launches", "profiler"});
  CHECK(records.notices.empty());
  CHECK(records.losses.empty());
}

TEST_CASE("KernelProfiler, the end of a run brings what was held back, and nothing comes later") {
  FakeSource source;
  KernelProfiler profiler(&source, options(ProfileMode::detailed));
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  profiler.enter({3, engine::Phase::decode, 0, 1, 0});
  profiler.leave();
  const std::uint64_t now = steady_ns();
  source.record_unfinished({scope(1, source.ids[0]), kernel(1, "last", now), kernel(2, "stray", now)});
  engine::GpuRecords records;
  profiler.finish_run(records);
  REQUIRE(records.spans.size() == 2);
  REQUIRE(loss(records, "unattributed") != nullptr);
  CHECK(loss(records, "unattributed")->count == 1);
  source.record({scope(3, source.ids[0]), kernel(3, "after", steady_ns())});
  engine::GpuRecords later;
  for (int i = 0; i < 10; ++i) {
    profiler.take(later);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  CHECK(later.spans.empty());
}

TEST_CASE("KernelProfiler, another run has its own names and counts") {
  FakeSource source;
  source.count({.dropped = 5});
  KernelProfiler profiler(&source, options(ProfileMode::light));
  for (int run = 0; run < 3; ++run) {
    profiler.start_run(static_cast<std::int64_t>(steady_ns()));
    profiler.enter_graph(0, engine::Phase::decode, 10);
    profiler.leave_graph();
    const auto id = static_cast<std::uint32_t>(run + 1);
    const Activity call = graph_launch(id, steady_ns());
    source.record({whole_graph(id, steady_ns()), scope(id, source.ids.back()), call});
    source.count({.dropped = 5 + 2 * (run + 1)});
    engine::GpuRecords records;
    profiler.finish_run(records);
    CHECK(records.kernels == std::vector<std::string>{"graph", "launch graph"});
    std::erase_if(records.spans, [](const engine::Span& span) { return span.device < 0; });
    REQUIRE(records.spans.size() == 1);
    CHECK(records.spans[0].operation == engine::kWholeGraph);
    CHECK(records.spans[0].bytes == 10);
    REQUIRE(loss(records, "dropped") != nullptr);
    CHECK(loss(records, "dropped")->count == 2);
  }
}

TEST_CASE("KernelProfiler, attention inside a graph has the bytes of the step's cache") {
  FakeSource source;
  KernelProfiler profiler(&source, options(ProfileMode::detailed));
  profiler.enter({-1, engine::Phase::decode, 1, 4, engine::kCacheBytes});
  source.nodes().created(1, 11, GraphNodeMap::NodeType::kernel);
  profiler.leave();
  CHECK(source.ids.empty());  // capturing launches nothing
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  std::vector<Activity> batch;
  for (engine::Step step = 0; step < 2; ++step) {
    profiler.enter_graph(step, engine::Phase::decode, 0);
    profiler.leave_graph();
    batch.push_back(scope(static_cast<std::uint32_t>(step + 1), source.ids.back()));
    batch.push_back(graph_launch(static_cast<std::uint32_t>(step + 1), steady_ns()));
    batch.push_back(node_kernel(static_cast<std::uint32_t>(step + 1), 11, steady_ns()));
  }
  profiler.cache_bytes(0, std::vector<std::int64_t>{100, 200});
  source.record(batch);
  engine::GpuRecords records;
  profiler.finish_run(records);
  std::erase_if(records.spans, [](const engine::Span& span) { return span.device < 0; });
  REQUIRE(records.spans.size() == 2);
  CHECK(records.spans[0].bytes == 200);
  CHECK(records.spans[1].bytes == 0);  // not told
}

TEST_CASE("KernelProfiler, a graph's bytes and those of the step's cache are the whole graph's") {
  FakeSource source;
  KernelProfiler profiler(&source, options(ProfileMode::light));
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  profiler.enter_graph(0, engine::Phase::decode, 1'000);
  profiler.leave_graph();
  profiler.cache_bytes(0, std::vector<std::int64_t>{100, 200});
  profiler.enter({1, engine::Phase::prefill, 0, 4, engine::kCacheBytes});
  profiler.leave();
  profiler.cache_bytes(1, std::vector<std::int64_t>{100, 200});
  const Activity call = graph_launch(1, steady_ns());
  const Activity graph = whole_graph(1, steady_ns());
  source.record(
      {scope(1, source.ids[0]), call, graph, scope(2, source.ids[1]), kernel(2, "prefill", steady_ns())});
  engine::GpuRecords records;
  profiler.finish_run(records);
  std::erase_if(records.spans, [](const engine::Span& span) { return span.device < 0; });
  std::sort(records.spans.begin(), records.spans.end(),
            [](const auto& a, const auto& b) { return a.start_ns < b.start_ns; });
  REQUIRE(records.spans.size() == 2);
  CHECK(records.spans[0].bytes == 1'300);
  CHECK(records.spans[1].bytes == 0);  // a prefill kernel reads a slot for many queries at once
}

TEST_CASE("KernelProfiler, falls back to light when kernels stop having time stamps") {
  FakeSource source;
  KernelProfiler profiler(&source, options(ProfileMode::detailed));
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  source.record(std::vector<Activity>(100, kernel(1, "k", 0, 0)));
  engine::GpuRecords records;
  REQUIRE(take_until(profiler, records, [&] { return !records.notices.empty(); }));
  CHECK(records.notices[0].find("without time stamps") != std::string::npos);
  CHECK(source.modes == std::vector{ProfileMode::detailed, ProfileMode::light});
  CHECK(records.parameters.back().value == "light");
  profiler.finish_run(records);
  CHECK(loss(records, "untimed")->count == 100);
  CHECK(records.notices.size() == 1);
}

TEST_CASE("KernelProfiler, falls back to light before CUPTI runs out of time stamps") {
  FakeSource source;
  KernelProfilerOptions few = options(ProfileMode::detailed);
  few.max_node_records = 1'000;
  KernelProfiler profiler(&source, few);
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  source.count({.node_records = 999});
  engine::GpuRecords records;
  for (int i = 0; i < 10; ++i) {
    profiler.take(records);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(profiler.mode() == ProfileMode::detailed);
  source.count({.node_records = 1'000});
  CHECK(take_until(profiler, records, [&] { return profiler.mode() == ProfileMode::light; }));
}

TEST_CASE("KernelProfiler, a graph's last launch is told without waiting for another") {
  FakeSource source;
  KernelProfiler profiler(&source, options(ProfileMode::light));
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  profiler.enter_graph(4, engine::Phase::decode, 10);
  profiler.leave_graph();
  const Activity call = graph_launch(1, steady_ns());
  source.record({scope(1, source.ids[0]), call, whole_graph(1, steady_ns())});
  engine::GpuRecords records;
  const auto told = [&] {
    return std::any_of(records.spans.begin(), records.spans.end(),
                       [](const engine::Span& span) { return span.device == 0 && span.step == 4; });
  };
  CHECK(take_until(profiler, records, told));
}

TEST_CASE("KernelProfiler, asks for records at most every 20 ms, and yet soon") {
  FakeSource source;
  KernelProfiler profiler(&source, options(ProfileMode::light));
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  engine::GpuRecords records;
  const std::uint64_t start = steady_ns();
  while (steady_ns() - start < 300'000'000) {
    profiler.take(records);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto passed_ms = static_cast<int>((steady_ns() - start) / 1'000'000);
  CHECK(source.flushes <= passed_ms / 20 + 2);
  CHECK(source.flushes >= 3);
}

TEST_CASE("KernelProfiler, while it is off asks for nothing, but ends a run with what is there") {
  FakeSource source;
  KernelProfiler profiler(&source, options(ProfileMode::light));
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  REQUIRE(profiler.set_mode(ProfileMode::off));
  std::this_thread::sleep_for(std::chrono::milliseconds(60));  // one that was under way
  const int before = source.flushes;
  engine::GpuRecords records;
  for (int i = 0; i < 20; ++i) {
    profiler.take(records);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(source.flushes == before);
  source.record_unfinished({kernel(1, "left", steady_ns())});
  profiler.finish_run(records);
  CHECK(source.flushes > before);
  CHECK(loss(records, "unattributed") != nullptr);
}

TEST_CASE("KernelProfiler, without CUPTI times nothing and tells why") {
  KernelProfiler profiler(nullptr, options(ProfileMode::light), "there is no NVIDIA driver");
  CHECK_FALSE(profiler.times_kernels());
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  profiler.enter({0, engine::Phase::decode, 0, 0, 0});
  profiler.leave();
  profiler.enter_graph(0, engine::Phase::decode, 0);
  profiler.leave_graph();
  profiler.name_stream(&profiler, "x");
  engine::GpuRecords records;
  profiler.take(records);
  profiler.finish_run(records);
  CHECK(records.spans.empty());
  CHECK(records.notices ==
        std::vector<std::string>{"kernels are timed without CUPTI: there is no NVIDIA driver"});
  CHECK(records.parameters.front().value == "off");
  CHECK_FALSE(profiler.set_mode(ProfileMode::light));
}

TEST_CASE("KernelProfiler, a source that refuses is off, with the reason") {
  FakeSource source;
  source.refuses = "kind 10 is not supported";
  KernelProfiler profiler(&source, options(ProfileMode::light));
  CHECK_FALSE(profiler.times_kernels());
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  engine::GpuRecords records;
  profiler.take(records);
  REQUIRE(records.notices.size() == 1);
  CHECK(records.notices[0].find("kind 10") != std::string::npos);
}

TEST_CASE("KernelProfiler, launching and collecting at once loses nothing") {
  FakeSource source;
  KernelProfiler profiler(&source, options(ProfileMode::detailed));
  profiler.start_run(static_cast<std::int64_t>(steady_ns()));
  engine::GpuRecords records;
  constexpr int kSteps = 200, kKernels = 20;
  std::uint32_t correlation = 0;
  for (int step = 0; step < kSteps; ++step) {
    std::vector<Activity> batch;
    for (std::int16_t k = 0; k < kKernels; ++k) {
      profiler.enter({step, engine::Phase::decode, k, 1, 8});
      profiler.leave();
      ++correlation;
      batch.push_back(kernel(correlation, k % 2 == 0 ? "even" : "odd", steady_ns()));
      batch.push_back(scope(correlation, source.ids.back()));
    }
    source.record(std::move(batch));
    profiler.take(records);
  }
  profiler.finish_run(records);
  CHECK(records.spans.size() == kSteps * kKernels);
  CHECK(records.losses.empty());
  CHECK(std::all_of(records.spans.begin(), records.spans.end(), [](const auto& s) { return s.bytes == 8; }));
}
