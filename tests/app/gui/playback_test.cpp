#include "app/gui/workbench/playback.hpp"

#include <catch2/catch_test_macros.hpp>

#include "app/view/run_model.hpp"

using namespace app;
using gui::Playback;

namespace {

// Ten prompt tokens in one second, then decode steps of half a second each.
std::shared_ptr<const view::RunSnapshot> run_of(std::int32_t decoded) {
  view::RunModel model;
  engine::RunStarted run;
  run.shape = {1, 1, 1, 4, 4, 10, 100};
  run.window = 4;
  run.page_slots = 4;
  model.on_event(run);
  model.on_event(engine::SequenceStarted{});
  const auto step = [&](engine::Step number, engine::Phase phase, std::int32_t first, std::int32_t count,
                        std::int64_t start, std::int64_t end) {
    engine::GatesDecided gates{0, first, count, number, {}, {}};
    for (std::int32_t i = 0; i < count; ++i) {
      model.on_event(engine::TokenAdded{0, first + i, 1, "a", phase, number});
      gates.logits.push_back(-1);
      gates.marked.push_back(0);
    }
    model.on_event(gates);
    model.on_event(engine::OccupancyChanged{0, number, {first + count}, {first + count}});
    model.on_event(engine::StepFinished{number, phase, start, end, count, 0});
  };
  step(0, engine::Phase::prefill, 0, 10, 0, 1'000'000'000);
  for (std::int32_t i = 0; i < decoded; ++i) {
    step(i + 1, engine::Phase::decode, 10 + i, 1, 1'000'000'000 + i * 500'000'000LL,
         1'500'000'000 + i * 500'000'000LL);
  }
  return model.snapshot();
}

}  // namespace

TEST_CASE("Playback, goes through prompt and answer at the speed at which they ran") {
  const auto run = run_of(6);
  const view::SequenceView& sequence = run->sequences().front();
  Playback playback;
  playback.play(0);
  CHECK(playback.advance(0.45, *run, sequence, 16) == 4);  // ten a second
  CHECK(playback.advance(0.45, *run, sequence, 16) == 9);
  CHECK(playback.advance(0.15, *run, sequence, 16) == 10);  // then two a second
  CHECK(playback.advance(0.4, *run, sequence, 16) == 10);
  CHECK(playback.advance(0.1, *run, sequence, 16) == 11);
  CHECK(playback.playing());
}

TEST_CASE("Playback, twice the speed is twice as far") {
  const auto run = run_of(6);
  const view::SequenceView& sequence = run->sequences().front();
  Playback playback;
  playback.set_speed(2);
  playback.play(0);
  CHECK(playback.advance(0.45, *run, sequence, 16) == 9);
}

TEST_CASE("Playback, stops at the newest position") {
  const auto run = run_of(1);
  const view::SequenceView& sequence = run->sequences().front();
  Playback playback;
  playback.set_speed(16);
  playback.play(0);
  CHECK(playback.advance(0.5, *run, sequence, 11) == 10);
  CHECK_FALSE(playback.playing());
}

TEST_CASE("Playback, a window that slept does not jump to the end") {
  const auto run = run_of(6);
  const view::SequenceView& sequence = run->sequences().front();
  Playback playback;
  playback.play(0);
  CHECK(playback.advance(3600, *run, sequence, 16) <= 5);
}

TEST_CASE("Playback, its speed stays between a quarter and sixteen") {
  Playback playback;
  playback.set_speed(0);
  CHECK(playback.speed() == Playback::kSlowest);
  playback.set_speed(1e9);
  CHECK(playback.speed() == Playback::kFastest);
}
