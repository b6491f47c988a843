// What a profiler is told while steps run kernel by kernel, while a graph is recorded, and when it is
// launched.
#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "engine/events/gpu_profiler.hpp"
#include "tests/engine/backend/cuda_support.hpp"

namespace {

using engine::GpuScope;
using engine::LogitRows;
using engine::Step;
using engine::StepInput;

// Notes what it hears; says that it times kernels.
class Listener final : public engine::GpuProfiler {
 public:
  void start_run(std::int64_t) override {}
  void take(engine::GpuRecords&) override {}
  void finish_run(engine::GpuRecords&) override {}
  void enter(const GpuScope& scope) override {
    nested = nested || inside;
    inside = true;
    scopes.push_back(scope);
  }
  void leave() override {
    unbalanced = unbalanced || !inside;
    inside = false;
  }
  void enter_graph(Step step, engine::Phase phase, std::int64_t bytes) override {
    nested = nested || inside;
    inside = true;
    graph_steps.push_back(step);
    decodes = decodes && phase == engine::Phase::decode;
    graph_bytes = bytes;
  }
  void leave_graph() override { leave(); }
  void cache_bytes(Step, std::span<const std::int64_t> by_layer) override {
    last_cache_bytes.assign(by_layer.begin(), by_layer.end());
  }
  void name_stream(void*, std::string_view name) override { stream_name = name; }
  bool times_kernels() const override { return true; }

  bool inside = false, nested = false, unbalanced = false, decodes = true;
  std::vector<GpuScope> scopes;
  std::vector<Step> graph_steps;
  std::int64_t graph_bytes = 0;
  std::vector<std::int64_t> last_cache_bytes;
  std::string stream_name;
};

}  // namespace

TEST_CASE("CudaBackend, tells a profiler whose every launch is, and leaves the timing to it") {
  REQUIRE_GPU();
  const auto model = test::random_model(test::bf16_model());
  const auto facts = engine::resolve_policy({}, *model);
  REQUIRE(facts);
  Listener listener;
  engine::BackendOptions options;
  options.device = engine::Device::cuda;
  options.cache_bytes = test::kTestCacheBytes;
  options.profiler = &listener;
  auto backend = engine::make_backend(model, engine::make_policy(*facts, *model), options);
  REQUIRE(backend);
  CHECK_FALSE(listener.stream_name.empty());
  const auto ids = test::random_ids(61, 9, 1);
  const engine::SequenceId sequence = (*backend)->start_sequence();
  const auto run = [&](std::size_t first, std::size_t count) {
    listener.scopes.clear();
    const StepInput input{sequence, std::span(ids).subspan(first, count), LogitRows::none, true};
    auto step = (*backend)->step(std::span(&input, 1));
    REQUIRE(step);
    CHECK(step->spans.empty());
    CHECK(std::accumulate(listener.last_cache_bytes.begin(), listener.last_cache_bytes.end(),
                          std::int64_t{0}) == step->kv_reads * (*backend)->info().slot_bytes);
  };
  const auto all_of_step = [&](Step step) {
    for (const GpuScope& scope : listener.scopes) {
      CHECK(scope.step == step);
      REQUIRE(static_cast<std::size_t>(scope.operation) < (*backend)->info().operations.size());
    }
  };
  run(0, 6);  // a chunk
  all_of_step(0);
  CHECK(listener.scopes.size() > 10);
  run(6, 1);  // kernel by kernel: the first of its size
  all_of_step(1);
  CHECK(listener.graph_steps.empty());
  const std::size_t eager = listener.scopes.size();
  run(7, 1);  // recorded, and launched
  std::size_t recorded = 0;
  for (const GpuScope& scope : listener.scopes) {
    if (scope.step == -1) ++recorded;
    CHECK((scope.step == -1 || scope.step == 2));  // the step makes room for what is recorded
  }
  CHECK(recorded + 2 >= eager);
  CHECK(listener.graph_steps == std::vector<Step>{2});
  run(8, 1);  // launched again
  CHECK(listener.scopes.empty());
  CHECK(listener.graph_steps == std::vector<Step>{2, 3});
  CHECK(listener.decodes);
  CHECK(listener.graph_bytes > 0);
  CHECK_FALSE(listener.nested);
  CHECK_FALSE(listener.unbalanced);
  CHECK_FALSE(listener.inside);
}
