// Nothing that a run launches is nobody's: every kernel, copy, set and graph lies in a profiler's scope. On
// the emulation, which tells of each.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>

#include "engine/events/gpu_profiler.hpp"
#include "engine/session/session.hpp"
#include "tests/cuda_emulation/control.hpp"
#include "tests/engine/backend/cuda_support.hpp"

namespace {

using engine::GpuScope;
using engine::LogitRows;
using engine::Phase;
using engine::Step;
using engine::StepInput;

// Knows the scope that is open.
class Watch final : public engine::GpuProfiler {
 public:
  Watch() {
    cuda_emulation::control().on_launch = [this](const char* what) { note(what); };
  }
  ~Watch() override { cuda_emulation::control().on_launch = nullptr; }

  // From here on launches are the run's.
  void start_run(std::int64_t) override { watching = true; }
  void take(engine::GpuRecords&) override {}
  void finish_run(engine::GpuRecords&) override { watching = false; }
  void enter(const GpuScope& scope) override { open(scope.operation, scope.step); }
  void leave() override { is_open_ = false; }
  void enter_graph(Step step, Phase, std::int64_t) override { open(engine::kWholeGraph, step); }
  void leave_graph() override { leave(); }
  void cache_bytes(Step, std::span<const std::int64_t>) override {}
  void name_stream(void*, std::string_view) override {}
  bool times_kernels() const override { return true; }

  bool watching = false;
  std::map<std::string, int> outside;        // by what was launched
  std::map<int, std::int64_t> by_operation;  // launches
  std::vector<Step> steps;                   // of scopes, without repetitions
  bool nested = false;

 private:
  void open(std::int16_t operation, Step step) {
    nested = nested || is_open_;
    is_open_ = true;
    operation_ = operation;
    if (watching && (steps.empty() || steps.back() != step)) steps.push_back(step);
  }
  void note(const char* what) {
    if (!watching) return;
    if (is_open_) {
      ++by_operation[operation_];
    } else {
      ++outside[what];
    }
  }

  bool is_open_ = false;
  int operation_ = 0;
};

std::unique_ptr<engine::Backend> watched_backend(Watch& watch, const engine::PolicyOptions& policy,
                                                 bool graph) {
  const auto model = test::random_model(test::bf16_model());
  const auto facts = engine::resolve_policy(policy, *model);
  REQUIRE(facts);
  engine::BackendOptions options;
  options.device = engine::Device::cuda;
  options.cache_bytes = test::kTestCacheBytes;
  options.graph = graph;
  options.profiler = &watch;
  auto backend = engine::make_backend(model, engine::make_policy(*facts, *model), options);
  if (!backend) FAIL(backend.error().message);
  return std::move(*backend);
}

}  // namespace

TEST_CASE("CudaBackend, no launch of any kind of step is outside of a scope") {
  Watch watch;
  engine::PolicyOptions policy;
  policy.kind = GENERATE(engine::PolicyKind::dense, engine::PolicyKind::window);
  const bool graph = GENERATE(true, false);
  CAPTURE(graph);
  const auto backend = watched_backend(watch, policy, graph);
  watch.start_run(0);
  const auto ids = test::random_ids(61, 40, 1);
  const std::span all(ids);
  const auto step = [&](std::vector<StepInput> inputs) {
    const auto output = backend->step(inputs);
    if (!output) FAIL(output.error().message);
  };
  const engine::SequenceId first = backend->start_sequence();
  step({{first, all.first(20), LogitRows::all}});
  step({{first, all.subspan(20, 12), LogitRows::last}});
  const auto second = backend->fork_sequence(first);
  REQUIRE(second);
  for (int i = 0; i < 4; ++i) {
    engine::TokenChoice draw;
    draw.temperature = 1;
    step({{first, all.first(1), LogitRows::last, true, i < 2 ? engine::TokenChoice{} : draw},
          {*second, all.first(1), LogitRows::none, true}});
  }
  const engine::SequenceId third = backend->start_sequence();
  step({{third, all.first(7), LogitRows::none}, {first, all.first(1), LogitRows::last, true}});
  // More sequences than there were tables for.
  for (int i = 0; i < 10; ++i) step({{backend->start_sequence(), all.first(3), LogitRows::none}});
  backend->end_sequence(*second);
  step({{first, all.first(1), LogitRows::last, true}});
  for (const auto& [what, count] : watch.outside)
    FAIL_CHECK(count << " of " << what << " outside of a scope");
  CHECK_FALSE(watch.nested);
  CHECK(watch.by_operation.size() > 5);
  if (graph) CHECK(watch.by_operation[engine::kWholeGraph] > 0);
}

TEST_CASE("CudaBackend, what makes room for a step belongs to that step") {
  Watch watch;
  const auto backend = watched_backend(watch, {}, true);
  watch.start_run(0);
  const auto ids = test::random_ids(61, 30, 1);
  const engine::SequenceId sequence = backend->start_sequence();
  for (std::size_t i = 0; i < 3; ++i) {
    const StepInput input{sequence, std::span(ids).subspan(10 * i, 10), LogitRows::last};
    REQUIRE(backend->step(std::span(&input, 1)));
  }
  CHECK(watch.steps == std::vector<Step>{0, 1, 2});
}

TEST_CASE("Session on a GPU, the dense pass beside a run is an operation of the run's steps") {
  const auto model = test::random_model(test::bf16_model());
  Watch watch;
  engine::SessionOptions options;
  options.backend.device = engine::Device::cuda;
  options.backend.cache_bytes = test::kTestCacheBytes;
  options.backend.profiler = &watch;
  options.max_tokens = 5;
  options.ignore_eos = true;
  options.quality = engine::QualityPass::everything;
  engine::RunRequest request;
  request.prompt = test::random_ids(61, 9, 1);
  class Operations : public engine::EventSink {
   public:
    void on_event(engine::Event event) override {
      if (auto* started = std::get_if<engine::RunStarted>(&event)) names = started->operations;
    }
    std::vector<std::string> names;
  } sink;
  const auto summary = engine::run_session(model, nullptr, options, request, sink);
  if (!summary) FAIL(summary.error().message);
  for (const auto& [what, count] : watch.outside)
    FAIL_CHECK(count << " of " << what << " outside of a scope");
  std::map<std::string, std::int64_t> launches;
  for (const auto& [operation, count] : watch.by_operation) {
    if (operation >= 0) launches[sink.names.at(static_cast<std::size_t>(operation))] += count;
  }
  CHECK(launches["dense_shadow"] > 0);
  CHECK(launches["attention"] > 0);
  CHECK(watch.by_operation[engine::kWholeGraph] > 0);
}
