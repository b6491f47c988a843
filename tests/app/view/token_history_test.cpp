#include "app/view/token_history.hpp"

#include <catch2/catch_test_macros.hpp>

#include "app/view/run_curves.hpp"
#include "app/view/run_model.hpp"

using namespace app::view;

namespace {

// One layer of two heads, window 2, lag 1: head 0 marks every token, head 1 none. Four given tokens, then
// two.
std::shared_ptr<const RunSnapshot> small_run() {
  RunModel model;
  engine::RunStarted run;
  run.shape.layers = 1;
  run.shape.kv_heads = 2;
  run.window = 2;
  run.lag = 1;
  run.threshold = 0.5;
  run.policy = "dms";
  model.on_event(run);
  model.on_event(engine::SequenceStarted{});
  const auto add = [&](std::int32_t first, std::int32_t count, engine::Phase phase, engine::Step step) {
    for (std::int32_t i = 0; i < count; ++i)
      model.on_event(engine::TokenAdded{0, first + i, 1, "x", phase, step});
    engine::GatesDecided gates{0, std::max(0, first - 1), first == 0 ? count - 1 : count, step, {}, {}};
    const auto judged = static_cast<std::size_t>(gates.count);
    gates.logits.assign(2 * judged, 1.5F);
    gates.marked.assign(2 * judged, 1);
    for (std::size_t i = judged; i < 2 * judged; ++i) gates.logits[i] = -0.5F, gates.marked[i] = 0;
    model.on_event(gates);
    model.on_event(
        engine::StepFinished{step, phase, step * 1'000'000'000, (step + 1) * 1'000'000'000, count, 0});
  };
  add(0, 4, engine::Phase::prefill, 0);
  add(4, 1, engine::Phase::decode, 1);
  add(5, 1, engine::Phase::decode, 2);
  return model.snapshot();
}

}  // namespace

TEST_CASE("Token history, tells who holds a token, who let it go, and why") {
  CacheView cache;
  cache.update(small_run(), 0);
  REQUIRE(cache.positions() == 6);
  const TokenHistory history = token_history(cache, 1, 5);
  REQUIRE(history.holding.size() == 1);
  REQUIRE(history.evicted.size() == 1);
  CHECK(history.holding[0].head == Head{0, 1});
  CHECK(history.evicted[0].head == Head{0, 0});
  CHECK(history.layers_holding == 1);
  CHECK(history.evicted[0].margin == 1.0);
  CHECK(fate_reason(history.evicted[0], true) == "logit 1.00 above \u03b8, left the window at #4");
  CHECK(fate_reason(history.holding[0], true) == "logit 1.00 below \u03b8, kept for good");
}

TEST_CASE("Token history, a marked token in the window is held and doomed") {
  CacheView cache;
  cache.update(small_run(), 0);
  const TokenHistory history = token_history(cache, 3, 5);
  CHECK(history.holding.size() == 2);
  CHECK(history.doomed == 1);
  CHECK(fate_reason(history.holding[0], true) == "logit 1.00 above \u03b8, leaves at #6");
  const TokenHistory newest = token_history(cache, 5, 5);
  CHECK(newest.holding[0].state == TokenState::undecided);
  CHECK_FALSE(newest.holding[0].logit);
  CHECK(fate_reason(newest.holding[0], true) == "decided at #6");
}

TEST_CASE("Run curves, speed of decode steps and live slots per pixel") {
  CacheView cache;
  const auto run = small_run();
  cache.update(run, 0);
  CHECK(prompt_positions(cache.sequence()) == 4);
  CHECK(processing_rate(*run, cache.sequence(), 1) == 4);
  CHECK(processing_rate(*run, cache.sequence(), 5) == 1);
  RunCurves curves;
  curves.update(cache, scrub_axis(4, 6, 100));
  REQUIRE(curves.columns().size() == 100);
  CHECK(curves.columns().front().fastest == 0);
  CHECK(curves.columns().back().fastest == 1);
  CHECK(curves.columns().back().live_slots == cache.size(5).live_slots);
  // With room for what is still to come, only what is known has columns.
  curves.update(cache, scrub_axis(4, 8, 100));
  CHECK(curves.columns().size() == 16 + 42);
}
