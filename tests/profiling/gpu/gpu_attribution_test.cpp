// The real CUPTI beside the real CUDA backend: whose kernels are, when they ran, and how many there are.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <tuple>

#include "engine/backend/backend.hpp"
#include "engine/backend/devices.hpp"
#include "profiling/gpu/make_kernel_profiler.hpp"
#include "profiling/gpu/record_tally.hpp"
#include "tests/engine/support/random_model.hpp"

using profiling::KernelProfiler;
using profiling::ProfileMode;

namespace {

constexpr std::size_t kPrompt = 12;
constexpr std::size_t kDecoded = 60;
constexpr engine::Step kFirstGraph =
    2;  // the prompt's step, then one kernel by kernel before a graph is made

// CUPTI comes before the first use of CUDA, once for the process.
KernelProfiler& profiler() {
  static KernelProfiler* const shared = profiling::attach_kernel_profiler(ProfileMode::off).release();
  return *shared;
}

#define REQUIRE_PROFILED_GPU()                               \
  do {                                                       \
    const std::string no_cupti = profiler().reason();        \
    const std::string no_gpu = engine::survey_gpus().reason; \
    if (!no_gpu.empty()) SKIP(no_gpu);                       \
    if (!no_cupti.empty()) SKIP(no_cupti);                   \
  } while (false)

struct Time {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

struct Profiled {
  std::vector<Time> steps;
  engine::GpuRecords records;
  profiling::RecordCounts counts;

  std::vector<engine::Span> on_device() const {
    std::vector<engine::Span> found;
    for (const engine::Span& span : records.spans) {
      if (span.device >= 0) found.push_back(span);
    }
    return found;
  }
};

Profiled decode(ProfileMode mode, bool graph) {
  test::RandomModelOptions weights;
  weights.dtype = kernels::DType::bf16;
  const auto model = test::random_model(weights);
  const auto facts = engine::resolve_policy({}, *model);
  REQUIRE(facts);
  if (const auto status = profiler().set_mode(mode); !status) FAIL(status.error().message);
  profiling::RecordTally tally(profiler());
  engine::BackendOptions options;
  options.device = engine::Device::cuda;
  options.graph = graph;
  options.spans = false;
  options.cache_bytes = std::int64_t{1} << 20;
  options.profiler = &tally;
  auto backend = engine::make_backend(model, engine::make_policy(*facts, *model), options);
  if (!backend) FAIL(backend.error().message);
  const auto ids = test::random_ids(weights.vocab, kPrompt + kDecoded, 1);
  const engine::SequenceId sequence = (*backend)->start_sequence();
  Profiled profiled;
  const std::int64_t origin_ns = engine::steady_now_ns();
  tally.start_run(origin_ns);
  for (std::size_t at = 0; at < ids.size();) {
    const std::size_t count = at == 0 ? kPrompt : 1;
    const engine::StepInput input{sequence, std::span(ids).subspan(at, count), engine::LogitRows::none, true};
    Time time;
    time.begin_ns = engine::steady_now_ns() - origin_ns;
    const auto output = (*backend)->step({&input, 1});
    time.end_ns = engine::steady_now_ns() - origin_ns;
    if (!output) FAIL(output.error().message);
    profiled.steps.push_back(time);
    tally.take(profiled.records);
    at += count;
  }
  tally.finish_run(profiled.records);
  profiled.counts = tally.counts();
  REQUIRE(profiler().mode() == mode);
  return profiled;
}

void check_attribution(const Profiled& profiled) {
  const profiling::RecordCounts& counts = profiled.counts;
  INFO(counts.kernels << " kernels, " << counts.graphs << " graphs, " << counts.unattributed
                      << " unattributed, " << counts.untimed << " untimed");
  CHECK(counts.kernels + counts.graphs > static_cast<std::int64_t>(kDecoded));
  CHECK(counts.attributed_fraction() >= 0.999);
  CHECK(counts.untimed == 0);
  CHECK(counts.missing_nodes == 0);
  CHECK(counts.dropped == 0);
  CHECK(counts.notice.empty());
}

void check_times(const Profiled& profiled) {
  std::size_t outside = 0;
  for (const engine::Span& span : profiled.on_device()) {
    if (span.operation == engine::kUnattributed) continue;
    REQUIRE(span.step >= 0);
    REQUIRE(static_cast<std::size_t>(span.step) < profiled.steps.size());
    const Time& step = profiled.steps[static_cast<std::size_t>(span.step)];
    if (span.start_ns < step.begin_ns || span.start_ns > step.end_ns) ++outside;
    CHECK(span.end_ns > span.start_ns);
  }
  CHECK(outside == 0);
}

// The first kernel of each operation, or of each graph, after its first call.
void check_launches(const Profiled& profiled, bool graphs) {
  using Key = std::tuple<engine::Step, std::int16_t, std::int16_t>;
  std::map<Key, std::int64_t> launched;
  const auto earliest = [](std::map<Key, std::int64_t>& of, const Key& key, std::int64_t start_ns) {
    const auto [entry, fresh] = of.try_emplace(key, start_ns);
    if (!fresh) entry->second = std::min(entry->second, start_ns);
  };
  std::map<Key, std::int64_t> began;
  for (const engine::Span& span : profiled.records.spans) {
    const bool call = span.device < 0 && span.stream == engine::kLaunchLane;
    if (!call && (span.device < 0 || span.operation == engine::kUnattributed)) continue;
    const bool of_graph = span.operation == engine::kWholeGraph || span.graph >= 0;
    if (of_graph != graphs) continue;
    const Key key =
        graphs ? Key{span.step, -1, engine::kWholeGraph} : Key{span.step, span.layer, span.operation};
    earliest(call ? launched : began, key, span.start_ns);
  }
  CHECK_FALSE(began.empty());
  for (const auto& [key, start_ns] : began) {
    const auto call = launched.find(key);
    REQUIRE(call != launched.end());
    CHECK(start_ns >= call->second);
  }
}

// How many spans each decode step has on the device, once graphs are launched.
std::map<engine::Step, std::int64_t> later_steps(const Profiled& profiled) {
  std::map<engine::Step, std::int64_t> found = profiled.counts.of_step;
  std::erase_if(found, [](const auto& step) { return step.first < kFirstGraph; });
  return found;
}

}  // namespace

TEST_CASE("CUPTI, every kernel of a graph has its operation and its step, in the first session and later") {
  REQUIRE_PROFILED_GPU();
  for (int session = 0; session < 3; ++session) {
    CAPTURE(session);
    const Profiled profiled = decode(ProfileMode::detailed, true);
    check_attribution(profiled);
    check_times(profiled);
    check_launches(profiled, true);
    std::map<std::int32_t, std::map<engine::Step, std::int64_t>> nodes;  // by graph, then step
    for (const engine::Span& span : profiled.on_device()) {
      if (span.graph >= 0 && span.step >= 0) ++nodes[span.graph][span.step];
    }
    CHECK_FALSE(nodes.empty());
    for (const auto& [graph, steps] : nodes) {
      CAPTURE(graph);
      for (const auto& [step, count] : steps) CHECK(count == steps.begin()->second);
    }
    REQUIRE(profiler().set_mode(ProfileMode::off));  // what follows is another session
  }
}

TEST_CASE("CUPTI, every graph is one record of its step when profiling lightly") {
  REQUIRE_PROFILED_GPU();
  const Profiled profiled = decode(ProfileMode::light, true);
  check_attribution(profiled);
  check_times(profiled);
  check_launches(profiled, true);
  CHECK(profiled.counts.graphs >= static_cast<std::int64_t>(kDecoded) - 2);
  std::map<engine::Step, int> graphs;
  for (const engine::Span& span : profiled.on_device()) {
    if (span.operation == engine::kWholeGraph) ++graphs[span.step];
  }
  for (const auto& [step, count] : graphs) CHECK(count == 1);
}

TEST_CASE("CUPTI, kernels launched one by one are told alike in both modes") {
  REQUIRE_PROFILED_GPU();
  const ProfileMode mode = GENERATE(ProfileMode::light, ProfileMode::detailed);
  const Profiled profiled = decode(mode, false);
  check_attribution(profiled);
  check_times(profiled);
  check_launches(profiled, false);
  CHECK(profiled.counts.graphs == 0);
  const auto steps = later_steps(profiled);
  REQUIRE(steps.size() == kDecoded - 1);
  for (const auto& [step, count] : steps) CHECK(count == steps.begin()->second);
}
