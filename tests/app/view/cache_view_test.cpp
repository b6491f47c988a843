#include "app/view/cache_view.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "app/view/run_model.hpp"
#include "profiling/closed_form.hpp"
#include "tests/app/view/sequence_oracle.hpp"
#include "tests/profiling/synthetic_run.hpp"

using app::view::CacheSettings;
using app::view::CacheSize;
using app::view::CacheView;
using app::view::RunModel;
using app::view::RunSnapshot;
using app::view::TokenState;
using profiling_test::SyntheticOptions;
using view_test::SequenceOracle;

namespace {

std::shared_ptr<const RunSnapshot> run(const SyntheticOptions& options, int decode_steps) {
  RunModel model;
  profiling_test::emit_run(model, options, decode_steps);
  return model.snapshot();
}

// Every number of the view at s, counted one token at a time.
void check_at(const CacheView& view, const SequenceOracle& oracle, std::int32_t s) {
  const auto count = static_cast<std::size_t>(view.positions());
  std::vector<std::int32_t> holding(count, 0), doomed(count, 0);
  std::int64_t live_all = 0;
  for (std::int32_t head = 0; head < view.heads(); ++head) {
    std::int32_t live_head = 0, doomed_head = 0;
    for (std::int32_t t = 0; t < view.positions(); ++t) {
      const TokenState state = oracle.state(head, t, s);
      REQUIRE(view.state(head, t, s) == state);
      const bool is_doomed = state == TokenState::doomed;
      live_head += SequenceOracle::is_live(state) ? 1 : 0;
      doomed_head += is_doomed ? 1 : 0;
      holding[static_cast<std::size_t>(t)] += SequenceOracle::is_live(state) ? 1 : 0;
      doomed[static_cast<std::size_t>(t)] += is_doomed ? 1 : 0;
    }
    REQUIRE(view.live(head, s) == live_head);
    REQUIRE(view.doomed(head, s) == doomed_head);
    live_all += live_head;
  }
  std::vector<std::int32_t> seen(count);
  view.heads_holding(s, 0, seen);
  REQUIRE(seen == holding);
  view.heads_doomed(s, 0, seen);
  REQUIRE(seen == doomed);
  REQUIRE(view.size(s).live_slots == live_all);
  std::int64_t total = 0;
  view.live_totals(s, {&total, 1});
  REQUIRE(total == live_all);
}

void check(CacheView& view, const SequenceOracle& oracle) {
  for (std::int32_t s = 0; s < view.positions(); ++s) check_at(view, oracle, s);
  std::vector<std::int64_t> totals(static_cast<std::size_t>(view.positions()));
  view.live_totals(0, totals);
  for (std::int32_t s = 0; s < view.positions(); ++s) {
    REQUIRE(totals[static_cast<std::size_t>(s)] == view.size(s).live_slots);
  }
}

}  // namespace

TEST_CASE("CacheView, equals the definition for windows and lags of the run") {
  const std::int32_t window = GENERATE(0, 1, 8, 64, 1000);
  const std::int32_t lag = GENERATE(0, 1);
  const auto s = run({.prompt_tokens = 90, .window = window, .lag = lag}, 40);
  CacheView view;
  view.update(s, 0);
  CHECK_FALSE(view.preview());
  check(view, {s->sequences()[0], window, lag, {}});
}

TEST_CASE("CacheView, equals the definition for a lag as long as the window allows") {
  const auto s = run({.prompt_tokens = 60, .window = 3, .lag = 4}, 30);
  CacheView view;
  view.update(s, 0);
  check(view, {s->sequences()[0], 3, 4, {}});
}

TEST_CASE("CacheView, of a fork equals the definition on its own decisions") {
  const auto s = run({.chains = 3}, 60);
  CacheView view;
  for (const engine::SequenceId sequence : {0, 2, 1}) {
    view.update(s, sequence);
    check(view, {*s->sequence(sequence), 8, 1, {}});
  }
}

TEST_CASE("CacheView, a preview equals the definition with the other threshold and window") {
  const auto s = run({.prompt_tokens = 100}, 30);
  CacheView view;
  view.update(s, 0, {.threshold = 2.0});
  CHECK(view.preview());
  check(view, {s->sequences()[0], 8, 1, 2.0});
  view.update(s, 0, {.threshold = -1.0, .window = 20});
  check(view, {s->sequences()[0], 20, 1, -1.0});
  view.update(s, 0, {.window = 3});
  CHECK(view.preview());
  check(view, {s->sequences()[0], 3, 1, {}});
  view.update(s, 0, {.threshold = 0.0, .window = 8});
  CHECK_FALSE(view.preview());
  check(view, {s->sequences()[0], 8, 1, {}});
}

TEST_CASE("CacheView, agrees with the occupancy that the run reported") {
  const bool closed_form = GENERATE(true, false);
  const auto s = run({.chains = 2, .closed_form = closed_form}, 80);
  CacheView view;
  for (const auto& sequence : s->sequences()) {
    view.update(s, sequence.id());
    for (std::int32_t i = 0; i < sequence.occupancy_count(); ++i) {
      const auto& record = sequence.occupancy(i);
      for (std::int32_t head = 0; head < view.heads(); ++head) {
        REQUIRE(view.live(head, record.position) == record.live(head));
        REQUIRE(view.head_size(head, record.position).allocated_slots == record.allocated(head));
      }
      REQUIRE(view.size(record.position).live_slots == record.live_slots);
      REQUIRE(view.size(record.position).allocated_slots == record.allocated_slots);
    }
  }
}

TEST_CASE("CacheView, agrees with the closed form that traces are read with") {
  const auto s = run({.prompt_tokens = 300, .window = 33}, 60);
  const auto& sequence = s->sequences()[0];
  CacheView view;
  view.update(s, 0);
  for (std::int32_t head = 0; head < view.heads(); ++head) {
    profiling::PositionBits bits;
    for (std::int32_t t = 0; t < sequence.judged(); ++t) {
      const std::uint8_t bit = sequence.marked(head, t) ? 1 : 0;
      bits.assign(t, {&bit, 1}, 1);
    }
    std::vector<std::int32_t> live(static_cast<std::size_t>(view.positions()));
    profiling::live_slots(bits, 33, 0, live);
    for (std::int32_t at = 0; at < view.positions(); ++at) {
      REQUIRE(view.live(head, at) == live[static_cast<std::size_t>(at)]);
    }
  }
}

TEST_CASE("CacheView, without a closed form shows what was evicted and has no preview") {
  const auto s = run({.closed_form = false}, 60);
  CacheView view;
  view.update(s, 0, {.threshold = 5.0, .window = 2});
  CHECK_FALSE(view.preview());
  const auto& sequence = s->sequences()[0];
  std::vector<std::int32_t> holding(100);
  for (const std::int32_t at : {0, 39, 40, 99}) {
    view.heads_holding(at, 0, holding);
    for (std::int32_t t = 0; t < 100; ++t) {
      std::int32_t held = 0;
      for (std::int32_t head = 0; head < view.heads(); ++head) {
        const bool evicted = sequence.evicted_at(head, t) <= at;
        const TokenState expected = t > at    ? TokenState::unborn
                                    : evicted ? TokenState::evicted
                                              : TokenState::kept;
        REQUIRE(view.state(head, t, at) == expected);
        held += expected == TokenState::kept ? 1 : 0;
      }
      REQUIRE(holding[static_cast<std::size_t>(t)] == held);
    }
  }
}

TEST_CASE("CacheView, the next push tells which token leaves and whether its slot is reused") {
  const auto s = run({}, 30);
  CacheView view;
  view.update(s, 0);
  CHECK(view.next_push(0, 7).position == -1);
  for (std::int32_t at = 8; at + 1 < view.positions(); ++at) {
    for (std::int32_t head = 0; head < view.heads(); ++head) {
      const auto push = view.next_push(head, at);
      REQUIRE(push.position == at - 8);
      REQUIRE(push.decided);
      REQUIRE(push.evicted == (view.state(head, at - 8, at + 1) == TokenState::evicted));
      REQUIRE(view.live(head, at + 1) == view.live(head, at) + (push.evicted ? 0 : 1));
    }
  }
}

TEST_CASE("CacheView, dates of a token say when it was decided and when it leaves") {
  const auto s = run({}, 30);
  CacheView view;
  view.update(s, 0);
  for (std::int32_t t = 0; t < 70; ++t) {
    const auto dates = view.dates(2, t);
    CHECK(dates.born == t);
    CHECK(dates.decided == t + 1);
    CHECK(dates.leaves == t + 9);
    const bool marked = t < s->sequences()[0].judged() && s->sequences()[0].marked(2, t);
    CHECK(dates.evicted.has_value() == marked);
  }
}

TEST_CASE("CacheView, bytes and ratios follow from slots") {
  const CacheSize size{250, 10, 1000, 500, 4};
  CHECK(size.logical_bytes() == 1000);
  CHECK(size.dense_bytes() == 4000);
  CHECK(size.allocated_bytes() == 2000);
  CHECK(size.logical_ratio() == 4.0);
  CHECK(size.allocated_ratio() == 2.0);
  CHECK(CacheSize{}.logical_ratio() == 1.0);
  CHECK_FALSE(CacheSize{}.allocated_bytes());
  CacheView view;
  view.update(run({}, 30), 0, {.window = 3});
  CHECK_FALSE(view.size(50).allocated_slots);  // pages of a run that did not happen are unknown
}

TEST_CASE("CacheView, a sequence that does not exist leaves it empty") {
  CacheView view;
  CHECK(view.empty());
  view.update(run({}, 1), 9);
  CHECK(view.empty());
}

TEST_CASE("CacheView, nonsense windows and lags do not leave the positions") {
  RunModel model;
  engine::RunStarted facts;
  facts.shape.layers = facts.shape.kv_heads = 1;
  facts.window = INT32_MAX;
  facts.lag = INT32_MAX;
  model.on_event(facts);
  model.on_event(engine::SequenceStarted{});
  model.on_event(engine::TokenAdded{0, 0, 1, "a", engine::Phase::prefill, 0});
  model.on_event(engine::StepFinished{0, engine::Phase::prefill, 0, 1, 1, 0});
  CacheView view;
  view.update(model.snapshot(), 0);
  CHECK(view.live(0, 0) == 1);
  CHECK(view.state(0, 0, 0) == TokenState::undecided);
  view.update(model.snapshot(), 0, {.window = -5});
  CHECK(view.window() == 0);
  CHECK(view.live(0, 0) == 1);
}
