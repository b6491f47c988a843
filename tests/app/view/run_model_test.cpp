#include "app/view/run_model.hpp"

#include <fmt/format.h>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "tests/profiling/synthetic_run.hpp"

using app::view::RunModel;
using app::view::RunSnapshot;
using app::view::SequenceView;
using profiling_test::Recording;
using profiling_test::SyntheticOptions;

namespace {

Recording record(const SyntheticOptions& options, int decode_steps) {
  Recording recording;
  profiling_test::emit_run(recording, options, decode_steps);
  return recording;
}

std::shared_ptr<const RunSnapshot> feed(RunModel& model, const Recording& recording) {
  for (const engine::Event& event : recording.events) model.on_event(event);
  return model.snapshot();
}

// A run of 1 layer x 1 head with nothing in it yet.
engine::RunStarted tiny_run() {
  engine::RunStarted run;
  run.shape.layers = run.shape.kv_heads = 1;
  run.window = 2;
  return run;
}

}  // namespace

TEST_CASE("RunModel, before the run the snapshot is empty and readable") {
  const RunModel model;
  const auto snapshot = model.snapshot();
  REQUIRE(snapshot);
  CHECK_FALSE(snapshot->started());
  CHECK(snapshot->heads() == 0);
  CHECK(snapshot->sequences().empty());
  CHECK(snapshot->step_index(0) == -1);
}

TEST_CASE("RunModel, shows every fact of the events it was given") {
  const SyntheticOptions options{.prompt_tokens = 1500, .prefill_chunk = 512, .chains = 2};
  const Recording recording = record(options, 700);
  RunModel model;
  const auto s = feed(model, recording);
  CHECK(s->ignored_events() == 0);
  CHECK(s->run().model_name == "synthetic");
  REQUIRE(s->sequences().size() == 2);
  std::int32_t spans = 0, steps = 0;
  for (const engine::Event& event : recording.events) {
    if (const auto* token = std::get_if<engine::TokenAdded>(&event)) {
      const auto& shown = s->sequence(token->sequence)->token(token->position);
      REQUIRE(shown.text == token->text);
      REQUIRE(shown.id == token->id);
      REQUIRE(shown.step == token->step);
      REQUIRE(shown.phase == token->phase);
    } else if (const auto* gates = std::get_if<engine::GatesDecided>(&event)) {
      const SequenceView& sequence = *s->sequence(gates->sequence);
      std::size_t cell = 0;
      for (std::int32_t head = 0; head < s->heads(); ++head) {
        for (std::int32_t i = 0; i < gates->count; ++i, ++cell) {
          REQUIRE(sequence.logit(head, gates->first_position + i) == gates->logits[cell]);
          REQUIRE(sequence.marked(head, gates->first_position + i) == (gates->marked[cell] != 0));
        }
      }
    } else if (const auto* changed = std::get_if<engine::OccupancyChanged>(&event)) {
      const SequenceView& sequence = *s->sequence(changed->sequence);
      const auto* state = sequence.occupancy_at(sequence.processed_by(changed->step) - 1);
      REQUIRE(state != nullptr);
      REQUIRE(state->step == changed->step);
      for (std::int32_t head = 0; head < s->heads(); ++head) {
        REQUIRE(state->live(head) == changed->live[static_cast<std::size_t>(head)]);
        REQUIRE(state->allocated(head) == changed->allocated[static_cast<std::size_t>(head)]);
      }
    } else if (const auto* step = std::get_if<engine::StepFinished>(&event)) {
      const auto& shown = s->step(s->step_index(step->step));
      REQUIRE(shown.end_ns == step->end_ns);
      REQUIRE(shown.kv_reads == step->kv_reads);
      ++steps;
    } else if (const auto* recorded = std::get_if<engine::SpansRecorded>(&event)) {
      spans += static_cast<std::int32_t>(recorded->spans.size());
    }
  }
  CHECK(s->step_count() == steps);
  CHECK(s->spans().size() == static_cast<std::size_t>(spans));
  CHECK(s->notice(0) == "no GPU was found, running on the CPU");
  CHECK(s->parameter(0).name == "threshold");
  REQUIRE(s->quality_count() == 1);
  CHECK(s->measure(s->quality(0).measure) == "kl");
  CHECK(s->quality(0).value == 0.125);
  REQUIRE(s->finished());
  CHECK(s->finish()->reason == "length");
  CHECK(s->last_ns() == s->finish()->end_ns);
}

TEST_CASE("RunModel, the sampled token that no step has processed is shown but has no state") {
  RunModel model;
  const auto s = feed(model, record({}, 5));
  CHECK(s->sequences()[0].tokens() == 46);
  CHECK(s->sequences()[0].processed() == 45);
  CHECK(s->sequences()[0].token(45).step == -1);
}

TEST_CASE("RunModel, a snapshot stays as it was while the run goes on") {
  const Recording recording = record({.prompt_tokens = 100}, 100);
  RunModel model;
  const std::size_t half = recording.events.size() / 2;
  for (std::size_t i = 0; i < half; ++i) model.on_event(recording.events[i]);
  const auto before = model.snapshot();
  const std::int32_t tokens = before->sequences()[0].tokens();
  const std::string text(before->sequences()[0].token(tokens - 1).text);
  for (std::size_t i = half; i < recording.events.size(); ++i) model.on_event(recording.events[i]);
  CHECK(before->sequences()[0].tokens() == tokens);
  CHECK(before->sequences()[0].token(tokens - 1).text == text);
  CHECK_FALSE(before->finished());
  CHECK(model.snapshot()->sequences()[0].tokens() > tokens);
}

TEST_CASE("RunModel, returns the same snapshot until something happens") {
  RunModel model;
  model.on_event(tiny_run());
  const auto a = model.snapshot();
  CHECK(model.snapshot() == a);
  model.on_event(engine::Notice{"here"});
  CHECK(model.snapshot() != a);
  CHECK(model.snapshot()->version() > a->version());
}

TEST_CASE("RunModel, another run starts empty and leaves the old snapshot alone") {
  RunModel model;
  const auto first = feed(model, record({}, 5));
  model.on_event(tiny_run());
  const auto second = model.snapshot();
  CHECK(second->run_id() != first->run_id());
  CHECK(second->version() > first->version());
  CHECK(second->sequences().empty());
  CHECK(second->spans().size() == 0);
  CHECK_FALSE(second->finished());
  CHECK(first->sequences()[0].token(3).text.size() > 1);
}

TEST_CASE("RunModel, a fork reads its parent's prefix and its own continuation") {
  const SyntheticOptions options{.prompt_tokens = 1100, .prefill_chunk = 300, .chains = 3};
  RunModel model;
  const auto s = feed(model, record(options, 30));
  const SequenceView& parent = *s->sequence(0);
  const SequenceView& child = *s->sequence(2);
  CHECK(child.parent() == 0);
  CHECK(child.fork_position() == 1100);
  CHECK(child.processed() == 1130);
  CHECK(child.judged() == 1129);
  bool differs = false;
  for (std::int32_t position = 0; position < 1129; ++position) {
    const bool inherited = position < 1099;  // 1,099 is judged by the child's own first token (lag 1)
    if (inherited) REQUIRE(child.logit(4, position) == parent.logit(4, position));
    if (inherited) REQUIRE(child.token(position).text == parent.token(position).text);
    differs = differs || child.logit(4, position) != parent.logit(4, position);
  }
  CHECK(differs);
  CHECK(child.occupancy_at(299)->step == 0);
  CHECK(child.occupancy_at(299)->live(1) == parent.occupancy_at(299)->live(1));
}

TEST_CASE("RunModel, evictions without a closed form are kept per token with their position") {
  RunModel model;
  const Recording recording = record({.chains = 2, .closed_form = false}, 40);
  const auto s = feed(model, recording);
  CHECK(s->ignored_events() == 0);
  std::int64_t evictions = 0;
  for (const engine::Event& event : recording.events) {
    if (const auto* evicted = std::get_if<engine::TokensEvicted>(&event)) {
      const SequenceView& sequence = *s->sequence(evicted->sequence);
      for (const engine::EvictedToken& token : evicted->tokens) {
        const std::int32_t head = token.layer * s->kv_heads() + token.kv_head;
        REQUIRE(sequence.evicted_at(head, token.position) == sequence.processed_by(evicted->step) - 1);
        ++evictions;
      }
    }
  }
  CHECK(evictions > 100);
  CHECK(s->sequence(1)->evicted_at(0, 79) == app::view::kNeverEvicted);
}

TEST_CASE("RunModel, events that contradict earlier ones are left out and counted") {
  using namespace engine;
  const float nan = std::nanf("");
  const std::vector<Event> wrong = {
      TokenAdded{0, 5, 1, "gap", Phase::decode, 1},
      TokenAdded{7, 0, 1, "no such sequence", Phase::decode, 1},
      TokenAdded{0, 2, 1, "an earlier step", Phase::decode, 0},
      SequenceStarted{0, -1, 0},
      SequenceStarted{1, 9, 0},
      SequenceStarted{1, 0, 3},
      SequenceStarted{1, 0, -1},
      GatesDecided{0, 1, 1, 1, {nan}, {0}},
      GatesDecided{0, 0, 1, 1, {nan, nan}, {0, 0}},
      GatesDecided{0, 0, 3, 1, {1, 1, 1}, {1, 1, 1}},
      GatesDecided{0, -1, 1, 1, {1}, {1}},
      GatesDecided{0, 0, 0, 1, {}, {}},
      TokensEvicted{0, 1, {{0, 0, 0}}},
      OccupancyChanged{0, 0, {1}, {1}},
      OccupancyChanged{0, 1, {1, 1}, {1}},
      StepFinished{1, Phase::decode, 0, 1, 1, 0},
  };
  RunModel model;
  model.on_event(tiny_run());
  model.on_event(SequenceStarted{});
  model.on_event(TokenAdded{0, 0, 1, "a", Phase::prefill, 1});
  model.on_event(TokenAdded{0, 1, 1, "b", Phase::prefill, 1});
  model.on_event(StepFinished{1, Phase::prefill, 0, 1, 2, 0});
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    model.on_event(wrong[i]);
    INFO("event " << i);
    REQUIRE(model.snapshot()->ignored_events() == static_cast<std::int64_t>(i + 1));
  }
  const auto s = model.snapshot();
  CHECK(s->sequences().size() == 1);
  CHECK(s->sequences()[0].tokens() == 2);
  CHECK(s->sequences()[0].judged() == 0);
  CHECK(s->step_count() == 1);
}

TEST_CASE("RunModel, a shape without sense keeps tokens and no heads") {
  RunModel model;
  engine::RunStarted run = tiny_run();
  run.shape.layers = 2'000'000'000;
  run.shape.kv_heads = 2'000'000'000;
  model.on_event(run);
  model.on_event(engine::SequenceStarted{});
  model.on_event(engine::TokenAdded{0, 0, 1, "a", engine::Phase::prefill, 0});
  model.on_event(engine::GatesDecided{0, 0, 1, 0, {1}, {1}});
  CHECK(model.snapshot()->heads() == 0);
  CHECK(model.snapshot()->sequences()[0].tokens() == 1);
  CHECK(model.snapshot()->ignored_events() == 1);
}

TEST_CASE("RunModel, kv reads saturate instead of overflowing") {
  RunModel model;
  model.on_event(tiny_run());
  for (engine::Step step = 0; step < 3; ++step) {
    model.on_event(engine::StepFinished{step, engine::Phase::decode, 0, 1, 1, INT64_MAX / 2});
  }
  CHECK(model.snapshot()->kv_reads() == INT64_MAX);
}

TEST_CASE("RunModel, keeps what a GPU tells of itself, for snapshots taken before and after") {
  RunModel model;
  engine::RunStarted run;
  run.kernels = {"sample"};
  model.on_event(run);
  const auto before = model.snapshot();
  model.on_event(engine::KernelsNamed{{"gemv", "attend"}});
  model.on_event(engine::TrackNamed{0, 7, "decode"});
  model.on_event(engine::CountersSampled{{{0, "power", "W", 5, 300}, {0, "power", "W", 6, 310}}});
  model.on_event(engine::RecordsLost{"untimed", 4, "why"});
  const auto after = model.snapshot();
  CHECK(before->kernel_count() == 1);
  CHECK(before->kernel_name(1) == nullptr);
  CHECK(before->counters().empty());
  CHECK(before->track_name(0, 7) == nullptr);
  REQUIRE(after->kernel_count() == 3);
  CHECK(*after->kernel_name(0) == "sample");
  CHECK(*after->kernel_name(2) == "attend");
  CHECK(after->kernel_name(-1) == nullptr);
  REQUIRE(after->track_count() == 1);
  CHECK(after->track(0).name == "decode");
  CHECK(*after->track_name(0, 7) == "decode");
  REQUIRE(after->counters().size() == 1);
  REQUIRE(after->counters()[0].points.size() == 2);
  CHECK(after->counters()[0].points[1].last == 310);
  REQUIRE(after->losses().size() == 1);
  CHECK(after->losses()[0].count == 4);
  model.on_event(engine::RecordsLost{"untimed", 9, "why"});
  model.on_event(engine::TrackNamed{0, 7, "forward"});
  CHECK(after->losses()[0].count == 4);
  CHECK(model.snapshot()->losses()[0].count == 9);
  CHECK(*model.snapshot()->track_name(0, 7) == "forward");
  model.on_event(run);
  CHECK(model.snapshot()->counters().empty());
  CHECK(model.snapshot()->losses().empty());
  CHECK(model.snapshot()->kernel_count() == 1);
  CHECK(after->kernel_count() == 3);
}
