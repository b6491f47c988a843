#include "app/view/step_tokens.hpp"

#include <catch2/catch_test_macros.hpp>

#include "app/view/run_model.hpp"

using namespace app::view;

namespace {

// A prompt of 6 tokens in steps of 4 and 2, then one token each in steps 2 to 5; every step takes 10 ns.
std::shared_ptr<const RunSnapshot> run() {
  RunModel model;
  engine::RunStarted started;
  started.shape.layers = started.shape.kv_heads = 1;
  model.on_event(started);
  model.on_event(engine::SequenceStarted{});
  std::int32_t position = 0;
  for (engine::Step step = 0; step < 6; ++step) {
    const auto phase = step < 2 ? engine::Phase::prefill : engine::Phase::decode;
    const std::int32_t count = step == 0 ? 4 : step == 1 ? 2 : 1;
    for (std::int32_t i = 0; i < count; ++i)
      model.on_event(engine::TokenAdded{0, position++, 1, "x", phase, step});
    model.on_event(engine::StepFinished{step, phase, step * 10, step * 10 + 10, count, 0});
  }
  return model.snapshot();
}

}  // namespace

TEST_CASE("tokens_of_step, are those that it processed") {
  const auto snapshot = run();
  const SequenceView& sequence = snapshot->sequences()[0];
  CHECK(tokens_of_step(sequence, 0) == TokenRange{0, 4});
  CHECK(tokens_of_step(sequence, 1) == TokenRange{4, 6});
  CHECK(tokens_of_step(sequence, 3) == TokenRange{7, 8});
  CHECK(tokens_of_step(sequence, 99).size() == 0);
  CHECK(tokens_of_step(sequence, -5).size() == 0);
}

TEST_CASE("tokens_of_times, are those of every step that overlaps") {
  const auto snapshot = run();
  const SequenceView& sequence = snapshot->sequences()[0];
  const auto tokens = [&](std::int64_t begin, std::int64_t end) {
    return tokens_of_times(*snapshot, sequence, {begin, end});
  };
  CHECK(tokens(0, 60) == TokenRange{0, 10});
  CHECK(tokens(10, 20) == TokenRange{4, 6});
  CHECK(tokens(19, 31) == TokenRange{4, 8});
  CHECK(tokens(33, 34) == TokenRange{7, 8});
  CHECK(tokens(60, 90).size() == 0);
  CHECK(tokens(-20, 0).size() == 0);
}
