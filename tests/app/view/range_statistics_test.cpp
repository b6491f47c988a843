#include "app/view/range_statistics.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "app/view/run_model.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;

namespace {

std::shared_ptr<const RunSnapshot> run() {
  RunModel model;
  profiling_test::emit_run(model, {.prompt_tokens = 100, .prefill_chunk = 25, .window = 20}, 50);
  return model.snapshot();
}

}  // namespace

TEST_CASE("token_statistics, counts states and logits of the selected tokens and heads") {
  CacheView view;
  view.update(run(), 0);
  const HeadSet heads = HeadSet::of({{0, 2}, {1, 0}});
  const TokenStatistics statistics = token_statistics(view, {10, 130}, heads, 120);
  CHECK(statistics.tokens == TokenRange{10, 121});
  std::int64_t evicted = 0, above = 0, count = 0;
  double sum = 0;
  for (const std::int32_t head : {2, 3}) {
    for (std::int32_t t = 10; t <= 120; ++t) {
      evicted += view.state(head, t, 120) == TokenState::evicted ? 1 : 0;
      if (t > 119) continue;  // not decided yet
      const float logit = view.sequence().logit(head, t);
      sum += static_cast<double>(logit);
      above += logit > 0 ? 1 : 0;
      ++count;
    }
  }
  CHECK(statistics.states.evicted == evicted);
  CHECK(statistics.states.total() == 2 * 111);
  CHECK(statistics.states.unborn == 0);
  CHECK(statistics.kept_fraction() == Catch::Approx(1 - static_cast<double>(evicted) / 222));
  CHECK(statistics.logits.count == count);
  CHECK(statistics.logits.above == above);
  CHECK(statistics.logits.mean == Catch::Approx(sum / static_cast<double>(count)));
  CHECK(statistics.logits.least < statistics.logits.greatest);
}

TEST_CASE("token_statistics, no heads selected means all, and tokens that are not born count nothing") {
  CacheView view;
  view.update(run(), 0);
  CHECK(token_statistics(view, {0, 10}, {}, 100).states.total() == 60);
  const TokenStatistics none = token_statistics(view, {120, 140}, {}, 100);
  CHECK(none.states.total() == 0);
  CHECK(none.kept_fraction() == 0);
}

TEST_CASE("step_statistics, sums the steps of a range and a phase") {
  const auto s = run();
  std::int64_t busy = 0, reads = 0;
  for (std::int32_t i = 10; i < 30; ++i) {
    busy += s->step(i).end_ns - s->step(i).start_ns;
    reads += s->step(i).kv_reads;
  }
  const StepStatistics statistics = step_statistics(*s, {10, 30});
  CHECK(statistics.steps == 20);
  CHECK(statistics.tokens == 20);
  CHECK(statistics.busy_ns == busy);
  CHECK(statistics.kv_reads == reads);
  CHECK(statistics.p50_ns <= statistics.p95_ns);
  CHECK(statistics.p95_ns <= statistics.p99_ns);
  CHECK(statistics.tokens_per_second() == Catch::Approx(20e9 / static_cast<double>(busy)));
  CHECK(step_statistics(*s, {0, 30}, engine::Phase::prefill).tokens == 100);
  CHECK(step_statistics(*s, {90, 95}).steps == 0);
}

TEST_CASE("steps_of, tokens lie in the steps that processed them") {
  const auto s = run();
  const auto& sequence = s->sequences()[0];
  CHECK(steps_of(sequence, {30, 51}).begin == 1);
  CHECK(steps_of(sequence, {30, 51}).end == 3);
  CHECK(steps_of(sequence, {100, 1000}).end == s->step(s->step_count() - 1).step + 1);
  CHECK(steps_of(sequence, {5, 5}).end == 0);
}
