#include "app/view/slot_order.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "app/view/run_model.hpp"
#include "engine/cache/head_cache.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;

namespace {

std::shared_ptr<const RunSnapshot> run(const profiling_test::SyntheticOptions& options, int steps) {
  RunModel model;
  profiling_test::emit_run(model, options, steps);
  return model.snapshot();
}

// What the engine's own cache does with the same decisions.
std::vector<std::int32_t> engine_slots(const CacheView& view, std::int32_t head, std::int32_t s) {
  const engine::SlotLayout layout{8, kernels::DType::f32};
  engine::PageArena arena(layout.page_bytes());
  engine::HeadCache cache(layout, arena, view.window(), 1 << 20);
  for (std::int32_t t = 0; t <= s; ++t) {
    const std::int32_t judged = t - view.lag();
    // The decision is there before the token that it may make room for.
    if (view.lag() > 0 && judged >= 0 && view.index().test(head, judged)) cache.mark(judged);
    cache.admit(t);
    if (view.lag() == 0 && view.index().test(head, t)) cache.mark(t);
  }
  return {cache.positions().begin(), cache.positions().end()};
}

}  // namespace

TEST_CASE("slot_order, equals what the engine's cache does with the same decisions") {
  const std::int32_t window = GENERATE(1, 8, 63, 1000);
  const std::int32_t lag = GENERATE(0, 1);
  CacheView view;
  view.update(run({.prompt_tokens = 150, .window = window, .lag = lag}, 80), 0);
  for (const std::int32_t s : {0, 1, 9, 64, 149, 150, 200, view.positions() - 1}) {
    for (std::int32_t head = 0; head < view.heads(); ++head) {
      const std::vector<std::int32_t> slots = slot_order(view, head, s);
      REQUIRE(slots == engine_slots(view, head, s));
      REQUIRE(static_cast<std::int32_t>(slots.size()) == view.live(head, s));
    }
  }
}

TEST_CASE("slot_order, holds every live token once and no other") {
  CacheView view;
  view.update(run({.prompt_tokens = 150, .window = 8}, 80), 0);
  const std::int32_t s = 200;
  std::vector<std::int32_t> slots = slot_order(view, 2, s);
  CHECK(slots_out_of_order(slots) > 0);
  std::sort(slots.begin(), slots.end());
  CHECK(slots_out_of_order(slots) == 0);
  std::vector<std::int32_t> live;
  for (std::int32_t t = 0; t <= s; ++t)
    if (view.state(2, t, s) != TokenState::evicted) live.push_back(t);
  CHECK(slots == live);
}

TEST_CASE("slot_order, a policy without a closed form and a run without tokens have none") {
  CacheView view;
  view.update(run({.closed_form = false}, 20), 0);
  CHECK(slot_order(view, 0, 30).empty());
  view.update(run({}, 20), 0);
  CHECK(slot_order(view, 0, -1).empty());
}
