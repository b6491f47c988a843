// What happens when the GPU does not do its part. On the emulation, which can be told to fail.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/cuda_emulation/control.hpp"
#include "tests/engine/backend/cuda_support.hpp"

namespace {

using cuda_emulation::control;
using engine::LogitRows;
using engine::StepInput;
using test::bf16_model;
using test::on_cuda;
using test::random_ids;
using test::random_model;

// The emulated device as it was, however the test ends.
class OtherDevice {
 public:
  OtherDevice() : before_(control()) {}
  ~OtherDevice() {
    control() = before_;
    cuda_emulation::recover();
  }
  OtherDevice(const OtherDevice&) = delete;
  OtherDevice& operator=(const OtherDevice&) = delete;

 private:
  cuda_emulation::Control before_;
};

engine::Result<std::unique_ptr<engine::Backend>> make(const std::shared_ptr<const engine::Model>& model,
                                                      engine::Device device) {
  const auto facts = engine::resolve_policy({}, *model);
  REQUIRE(facts);
  engine::BackendOptions options;
  options.device = device;
  options.cache_bytes = test::kTestCacheBytes;
  return engine::make_backend(model, engine::make_policy(*facts, *model), options);
}

}  // namespace

TEST_CASE(
    "CudaBackend, who asks for a GPU that cannot be used is told why, and automatic takes the CPU, with the "
    "reason where there is a GPU") {
  const OtherDevice guard;
  const auto model = random_model(bf16_model());
  const char* words = nullptr;
  bool present = true;
  SECTION("a driver that is too old") {
    control().driver_version = 12040;
    words = "the NVIDIA driver is too old: it serves CUDA 12.4, this build needs 13.0 or newer";
  }
  SECTION("no device") {
    control().device_count = 0;
    words = "no GPU";
    present = false;
  }
  SECTION("a device that is too old") {
    control().compute_major = 7;
    words = "7.0";
  }
  SECTION("a device that is closed") {
    control().compute_mode = cudaComputeModeProhibited;
    words = "prohibited";
  }
  const auto asked = make(model, engine::Device::cuda);
  REQUIRE_FALSE(asked);
  CAPTURE(asked.error().message);
  CHECK(asked.error().message.starts_with("--device cuda: "));
  CHECK(asked.error().message.find(words) != std::string::npos);
  const auto taken = make(model, engine::Device::automatic);
  REQUIRE(taken);
  CHECK((*taken)->info().backend == "cpu");
  const auto& notices = (*taken)->info().notices;
  const auto is_reason = [](const std::string& notice) { return notice.starts_with("ran on the CPU: "); };
  const auto reason = std::find_if(notices.begin(), notices.end(), is_reason);
  // Nobody misses a GPU on a machine that has none.
  REQUIRE((reason != notices.end()) == present);
  if (present) CHECK(reason->find(words) != std::string::npos);
}

TEST_CASE("CudaBackend, weights that do not fit are refused with what is needed, free and missing") {
  const OtherDevice guard;
  control().memory_bytes = std::size_t{64} << 10;
  const auto refused = make(random_model(bf16_model()), engine::Device::cuda);
  REQUIRE_FALSE(refused);
  CAPTURE(refused.error().message);
  CHECK(refused.error().message.find("need") != std::string::npos);
  CHECK(refused.error().message.find("missing") != std::string::npos);
  CHECK(refused.error().message.find("64.0 KiB are free") != std::string::npos);
}

TEST_CASE("CudaBackend, a device that fails in mid-run ends the run with its reason, and nothing crashes") {
  const OtherDevice guard;
  const auto graph = GENERATE(true, false);
  CAPTURE(graph);
  const auto before = cuda_emulation::usage();
  {
    const auto model = random_model(bf16_model());
    const auto backend = test::start_backend(model, on_cuda({}, 1, graph));
    const engine::SequenceId sequence = backend->start_sequence();
    const auto ids = random_ids(61, 5, 1);
    const auto step = [&](std::size_t first) {
      const StepInput input{sequence, std::span(ids).subspan(first, 1), LogitRows::last};
      auto output = backend->step(std::span(&input, 1));
      return output ? std::string() : output.error().message;
    };
    for (std::size_t i = 0; i < 3; ++i) REQUIRE(step(i).empty());
    control().launches_until_failure = 3;
    const std::string reason = step(3);
    CAPTURE(reason);
    CHECK(reason.find("a kernel failed on the GPU") != std::string::npos);
    CHECK(reason.find("a step of 1 token") != std::string::npos);
    control().launches_until_failure = -1;
    CHECK(step(3) == reason);
    const auto fork = backend->fork_sequence(sequence);
    REQUIRE_FALSE(fork);
    CHECK(fork.error().message == reason);
    CHECK(backend->length(sequence) == 3);
    backend->end_sequence(sequence);
  }
  cuda_emulation::recover();
  const auto after = cuda_emulation::usage();
  CHECK(after.device_bytes == before.device_bytes);
  CHECK(after.allocations == before.allocations);
  CHECK(after.streams == before.streams);
  CHECK(after.events == before.events);
  CHECK(after.graphs == before.graphs);
}

TEST_CASE(
    "CudaBackend, a computer without memory to lock is told from a GPU without memory, and nothing is lost") {
  const OtherDevice guard;
  const auto backend = test::start_backend(random_model(bf16_model()), on_cuda());
  const engine::SequenceId sequence = backend->start_sequence();
  const auto ids = random_ids(61, 20, 1);
  const StepInput token{sequence, std::span(ids).first(1), LogitRows::last};
  const StepInput prompt{sequence, std::span(ids).subspan(1), LogitRows::all};
  REQUIRE(backend->step(std::span(&token, 1)));
  control().page_locked_memory = false;
  const auto refused = backend->step(std::span(&prompt, 1));
  REQUIRE_FALSE(refused);
  CAPTURE(refused.error().message);
  CHECK(refused.error().message.starts_with(
      "the computer (not the GPU) is out of memory during a step of 19 tokens"));
  CHECK(refused.error().message.find("are free") == std::string::npos);  // the GPU's memory does not matter
  control().page_locked_memory = true;
  CHECK(backend->length(sequence) == 1);
  CHECK(backend->step(std::span(&prompt, 1)));
}

TEST_CASE("CudaBackend, memory stays flat while sequences come and go") {
  const auto model = random_model(bf16_model());
  const auto backend = test::start_backend(model, on_cuda());
  const auto ids = random_ids(61, 20, 1);
  std::size_t bytes = 0;
  for (int round = 0; round < 6; ++round) {
    const engine::SequenceId sequence = backend->start_sequence();
    const StepInput prompt{sequence, ids, LogitRows::last};
    REQUIRE(backend->step(std::span(&prompt, 1)));
    const auto fork = backend->fork_sequence(sequence);
    REQUIRE(fork);
    for (int i = 0; i < 3; ++i) {
      const StepInput both[] = {{sequence, std::span(ids).first(1), LogitRows::none, true},
                                {*fork, std::span(ids).first(1), LogitRows::none, true}};
      REQUIRE(backend->step(both));
    }
    backend->end_sequence(sequence);
    backend->end_sequence(*fork);
    if (round == 1) bytes = cuda_emulation::usage().device_bytes;
    if (round > 1) CHECK(cuda_emulation::usage().device_bytes == bytes);
  }
}

TEST_CASE("CudaBackend, giving up an upload is an interruption, and progress ends with all bytes") {
  const auto model = random_model(bf16_model());
  const auto facts = engine::resolve_policy({}, *model);
  REQUIRE(facts);
  engine::BackendOptions options;
  options.device = engine::Device::cuda;
  options.cache_bytes = test::kTestCacheBytes;
  options.on_upload = [](std::int64_t done, std::int64_t total) { return done < total / 2; };
  const auto given_up = engine::make_backend(model, engine::make_policy(*facts, *model), options);
  REQUIRE_FALSE(given_up);
  CHECK(given_up.error().code == engine::ErrorCode::interrupted);
  std::int64_t last = 0;
  options.on_upload = [&](std::int64_t done, std::int64_t total) {
    CHECK(done > last);
    last = done;
    CHECK(done <= total);
    return true;
  };
  REQUIRE(engine::make_backend(model, engine::make_policy(*facts, *model), options));
  CHECK(last > 0);
  const std::int64_t before = last;
  REQUIRE(engine::make_backend(model, engine::make_policy(*facts, *model), options));
  CHECK(last == before);  // the weights were there already
}

TEST_CASE(
    "CudaBackend, a driver that refuses to record a graph gets kernels one by one, with the same results") {
  const OtherDevice guard;
  const auto model = random_model(bf16_model());
  const auto ids = random_ids(61, 12, 5);
  const test::Outputs eager = test::run_model(model, ids, on_cuda({}, 1, false));
  control().graphs_to_refuse = GENERATE(1, 1000);
  CAPTURE(control().graphs_to_refuse);
  const test::Outputs refused = test::run_model(model, ids, on_cuda({}, 1, true));
  CHECK(refused.logits == eager.logits);
  CHECK(refused.live == eager.live);
}

TEST_CASE("CudaBackend, the step in which graphs are given up says so, and no other") {
  const OtherDevice guard;
  const auto backend = test::start_backend(random_model(bf16_model()), on_cuda({}, 1, true));
  const engine::SequenceId sequence = backend->start_sequence();
  const auto ids = random_ids(61, 5, 1);
  control().graphs_to_refuse = 1000;
  std::vector<std::string> notices;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const StepInput input{sequence, std::span(ids).subspan(i, 1), LogitRows::last};
    auto output = backend->step(std::span(&input, 1));
    REQUIRE(output);
    CHECK(output->notices.empty() == (i != 1));  // the second step records
    notices.insert(notices.end(), output->notices.begin(), output->notices.end());
  }
  REQUIRE_FALSE(notices.empty());
  CAPTURE(notices.back());
  CHECK(notices.back().find("without graphs: CUDA could not prepare a graph") != std::string::npos);
}

TEST_CASE("CudaBackend, every kernel of a graph was loaded before the graph is recorded") {
  const OtherDevice guard;
  control().loads_before_recording = true;
  const auto backend = test::start_backend(random_model(bf16_model()), on_cuda({}, 1, true));
  const auto chains = GENERATE(1, 3, 20);
  CAPTURE(chains);
  std::vector<engine::SequenceId> sequences;
  for (int i = 0; i < chains; ++i) sequences.push_back(backend->start_sequence());
  const auto ids = random_ids(61, 3, 1);
  for (std::size_t token = 0; token < ids.size(); ++token) {
    std::vector<StepInput> inputs;
    for (const engine::SequenceId sequence : sequences)
      inputs.push_back({sequence, std::span(ids).subspan(token, 1), LogitRows::none, true});
    const auto output = backend->step(inputs);
    REQUIRE(output);
    CHECK(output->notices.empty());
  }
}

namespace {

constexpr std::int32_t kPrompt = 100;

// Tokens of one sequence on the device: a prompt, then one by one.
class Chain {
 public:
  explicit Chain(engine::Backend& backend)
      : backend_(backend), sequence_(backend.start_sequence()), ids_(random_ids(61, kPrompt + 8, 3)) {
    feed(kPrompt);
  }

  engine::SequenceId sequence() const { return sequence_; }
  std::vector<float> next() { return feed(1); }

 private:
  std::vector<float> feed(std::size_t count) {
    const StepInput input{sequence_, std::span(ids_).subspan(done_, count), LogitRows::last};
    done_ += count;
    const auto output = backend_.step(std::span(&input, 1));
    REQUIRE(output);
    return {output->logits.begin(), output->logits.end()};
  }

  engine::Backend& backend_;
  engine::SequenceId sequence_;
  std::vector<engine::TokenId> ids_;
  std::size_t done_ = 0;
};

}  // namespace

TEST_CASE("CudaBackend, caches and tables that grow under a recorded graph change no result") {
  const OtherDevice guard;
  const auto model = random_model(bf16_model());
  engine::PolicyOptions keeps_all;
  keeps_all.kind = engine::PolicyKind::dense;
  auto options = on_cuda(keeps_all, 1, true);
  options.cache_bytes = 0;
  const auto alone = test::start_backend(model, options);
  const auto crowded = test::start_backend(model, options);
  Chain one(*alone), same(*crowded);
  for (int i = 0; i < 3; ++i) REQUIRE(one.next() == same.next());
  const std::size_t before = cuda_emulation::usage().device_bytes;
  std::vector<engine::SequenceId> forks;
  for (int i = 0; i < 60; ++i) {
    const auto fork = crowded->fork_sequence(same.sequence());
    REQUIRE(fork);
    forks.push_back(*fork);
  }
  REQUIRE(cuda_emulation::usage().device_bytes > before + (std::size_t{512} << 10));
  REQUIRE(one.next() == same.next());
  for (const engine::SequenceId fork : forks) crowded->end_sequence(fork);
  CHECK(one.next() == same.next());
}

TEST_CASE(
    "CudaBackend, a driver that maps no memory to reserved addresses gives the same results, with less "
    "room") {
  const OtherDevice guard;
  const auto model = random_model(bf16_model());
  control().virtual_memory = false;
  const auto fixed = test::start_backend(model, on_cuda({}, 1, true));
  control().virtual_memory = true;
  const auto growing = test::start_backend(model, on_cuda({}, 1, true));
  Chain one(*growing), same(*fixed);
  for (int i = 0; i < 3; ++i) CHECK(one.next() == same.next());
  const auto ids = random_ids(61, 1, 1);
  std::string refused;
  for (int i = 0; i < 100 && refused.empty(); ++i) {
    const StepInput input{fixed->start_sequence(), ids, LogitRows::none, true};
    const auto output = fixed->step(std::span(&input, 1));
    if (!output) refused = output.error().message;
  }
  CHECK(refused.find("64 sequences") != std::string::npos);
  CHECK(one.next() == same.next());
}
