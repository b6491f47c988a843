#include "engine/session/session.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <stdexcept>
#include <vector>

#include "tests/engine/backend/run_model.hpp"
#include "tests/engine/support/random_model.hpp"

namespace {

class Recorder final : public engine::EventSink {
 public:
  void on_event(engine::Event event) override { events.push_back(std::move(event)); }

  template <typename T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const engine::Event& event : events) {
      if (const T* value = std::get_if<T>(&event)) found.push_back(*value);
    }
    return found;
  }

  std::vector<engine::Event> events;
};

struct Setup {
  engine::SessionOptions options;
  engine::RunRequest request;
  std::shared_ptr<const engine::Model> model = test::random_model({});

  Setup() {
    options.backend.threads = 2;
    options.backend.reference = true;
    options.max_tokens = 12;
    options.ignore_eos = true;
    options.chunk = 7;
    request.prompt = test::random_ids(61, 20, 3);
  }

  engine::RunSummary run(Recorder& recorder) const {
    auto summary = engine::run_session(model, nullptr, options, request, recorder);
    if (!summary) throw std::runtime_error(summary.error().message);
    return *summary;
  }
};

}  // namespace

TEST_CASE("run_session, tells the whole run in order") {
  Setup setup;
  Recorder recorder;
  const engine::RunSummary summary = setup.run(recorder);
  REQUIRE(std::holds_alternative<engine::RunStarted>(recorder.events.front()));
  REQUIRE(std::holds_alternative<engine::RunFinished>(recorder.events.back()));
  CHECK(std::get<engine::RunFinished>(recorder.events.back()).reason == "length");

  const auto steps = recorder.all<engine::StepFinished>();
  REQUIRE(steps.size() ==
          3 + 11);  // 20 prompt tokens in chunks of 7, then 12 tokens: the last is never processed
  for (std::size_t i = 0; i < steps.size(); ++i) {
    CHECK(steps[i].step == static_cast<engine::Step>(i));
    CHECK(steps[i].end_ns >= steps[i].start_ns);
    CHECK(steps[i].phase == (i < 3 ? engine::Phase::prefill : engine::Phase::decode));
  }
  const auto tokens = recorder.all<engine::TokenAdded>();
  REQUIRE(tokens.size() == 32);
  for (std::size_t i = 0; i < tokens.size(); ++i) CHECK(tokens[i].position == static_cast<std::int32_t>(i));
  CHECK(tokens[6].step == 0);
  CHECK(tokens[7].step == 1);
  CHECK(tokens[20].step == 3);
  CHECK(tokens.back().step == -1);
  CHECK(summary.ids.front().size() == 12);
  CHECK(summary.decode_tokens == 12);
}

TEST_CASE("run_session, every decided position is told once, in order") {
  Setup setup;
  Recorder recorder;
  setup.run(recorder);
  std::int32_t next = 0;
  for (const engine::GatesDecided& gates : recorder.all<engine::GatesDecided>()) {
    CHECK(gates.first_position == next);
    next += gates.count;
    CHECK(gates.logits.size() == static_cast<std::size_t>(6 * gates.count));
    CHECK(gates.marked.size() == gates.logits.size());
  }
  CHECK(next == 30);  // 31 tokens processed, the newest undecided (lag 1)
}

TEST_CASE("run_session, greedy answers do not depend on how the prompt was chunked") {
  Setup setup;
  Recorder recorder;
  const auto ids = setup.run(recorder).ids;
  for (const std::int32_t chunk : {1, 5, 20, 512}) {
    setup.options.chunk = chunk;
    Recorder again;
    CHECK(setup.run(again).ids == ids);
  }
}

TEST_CASE("run_session, live slots of the summary are the last occupancy, and KV reads add up") {
  Setup setup;
  Recorder recorder;
  const engine::RunSummary summary = setup.run(recorder);
  const auto occupancy = recorder.all<engine::OccupancyChanged>();
  std::int64_t live = 0;
  for (const std::int32_t slots : occupancy.back().live) live += slots;
  CHECK(summary.live_slots == live);
  CHECK(summary.dense_slots == 31 * 6);
  CHECK(summary.live_slots < summary.dense_slots);
  CHECK(summary.allocated_slots >= summary.live_slots);
  std::int64_t reads = 0;
  for (const engine::StepFinished& step : recorder.all<engine::StepFinished>()) reads += step.kv_reads;
  CHECK(summary.kv_reads == reads);
}

TEST_CASE("run_session, chains continue one prompt that is processed once") {
  Setup setup;
  setup.options.chains = 3;
  setup.options.sampling.temperature = 1.5;
  setup.options.sampling.seed = 4;
  Recorder recorder;
  const engine::RunSummary summary = setup.run(recorder);
  REQUIRE(summary.ids.size() == 3);
  CHECK(summary.ids[0] != summary.ids[1]);
  const auto sequences = recorder.all<engine::SequenceStarted>();
  REQUIRE(sequences.size() == 3);
  CHECK(sequences[2].parent == 0);
  CHECK(sequences[2].fork_position == 20);
  std::int32_t prefilled = 0;
  for (const engine::StepFinished& step : recorder.all<engine::StepFinished>()) {
    if (step.phase == engine::Phase::prefill) prefilled += step.tokens;
    if (step.phase == engine::Phase::decode) CHECK(step.tokens == 3);
  }
  CHECK(prefilled == 20);
}

TEST_CASE("run_session, each chain's tokens are what that chain alone would have computed") {
  Setup setup;
  setup.options.chains = 2;
  setup.options.sampling.temperature = 1;
  Recorder recorder;
  const engine::RunSummary summary = setup.run(recorder);
  // Teacher-forced over chain 1's text, decode decides the same live slots as the batch did.
  std::vector<engine::TokenId> text = setup.request.prompt;
  text.insert(text.end(), summary.ids[1].begin(), summary.ids[1].end() - 1);
  const test::Outputs alone = test::run_model(setup.model, text, {{}, true, 1, 1});
  std::vector<std::int32_t> last;
  for (const engine::OccupancyChanged& occupancy : recorder.all<engine::OccupancyChanged>()) {
    if (occupancy.sequence == 1) last = occupancy.live;
  }
  REQUIRE(last.size() == 6);
  for (std::size_t head = 0; head < 6; ++head) CHECK(last[head] == alone.live[(head + 1) * text.size() - 1]);
}

TEST_CASE("run_session, the same seed gives the same chains, another seed others") {
  Setup setup;
  setup.options.chains = 2;
  setup.options.sampling.temperature = 2;
  Recorder recorder;
  const auto first = setup.run(recorder).ids;
  CHECK(setup.run(recorder).ids == first);
  setup.options.sampling.seed = 99;
  CHECK(setup.run(recorder).ids != first);
}

TEST_CASE("run_session, a chain stops at an end-of-sequence token while others go on") {
  Setup setup;
  setup.options.chains = 4;
  setup.options.sampling.temperature = 3;
  setup.options.ignore_eos = false;
  setup.options.max_tokens = 60;
  const auto owner = setup.model;  // of the weights that the copy points to
  auto model = std::make_shared<engine::Model>(*owner);
  for (engine::TokenId id = 0; id < 6; ++id) model->config.eos_ids.push_back(id);
  setup.model = model;
  Recorder recorder;
  const engine::RunSummary summary = setup.run(recorder);
  std::map<std::size_t, int> lengths;
  for (std::size_t i = 0; i < 4; ++i) {
    ++lengths[summary.ids[i].size()];
    if (summary.finish_reasons[i] == "eos") CHECK(summary.ids[i].back() < 6);
  }
  CHECK(std::count(summary.finish_reasons.begin(), summary.finish_reasons.end(), "eos") > 0);
  CHECK(lengths.size() > 1);
}

TEST_CASE("run_session, calibrating for a target ratio shows progress before the prompt's own") {
  Setup setup;
  setup.options.policy.kind = engine::PolicyKind::knorm;
  setup.options.policy.window = 4;
  setup.options.policy.target_cr = 2;
  std::vector<engine::RunProgress> seen;
  setup.request.on_progress = [&](const engine::RunProgress& at) { seen.push_back(at); };
  Recorder recorder;
  setup.run(recorder);
  REQUIRE(seen.size() > 2);
  CHECK(seen.front().calibrating);
  CHECK(seen.front().done == 20);
  CHECK(seen.front().total == 20);
  CHECK_FALSE(seen[1].calibrating);
  CHECK(std::count_if(seen.begin(), seen.end(), [](const auto& at) { return at.calibrating; }) == 1);
}

TEST_CASE("run_session, a stop request ends the run with everything told so far") {
  Setup setup;
  std::stop_source stop;
  setup.request.stop = stop.get_token();
  setup.request.on_progress = [&](const engine::RunProgress& progress) {
    if (progress.phase == engine::Phase::decode && progress.done == 5) stop.request_stop();
  };
  Recorder recorder;
  const engine::RunSummary summary = setup.run(recorder);
  CHECK(summary.finish_reasons.front() == "interrupted");
  CHECK(summary.ids.front().size() < 12);
  CHECK(std::get<engine::RunFinished>(recorder.events.back()).reason == "interrupted");
  CHECK(recorder.all<engine::TokenAdded>().back().step == -1);
}

TEST_CASE("run_session, a context beyond the model's positions is refused before anything is told") {
  Setup setup;
  setup.options.max_tokens = 500;
  Recorder recorder;
  const auto summary = engine::run_session(setup.model, nullptr, setup.options, setup.request, recorder);
  REQUIRE(!summary);
  CHECK(summary.error().code == engine::ErrorCode::bad_input);
  CHECK(summary.error().message.find("512") != std::string::npos);
  CHECK(recorder.events.empty());
}

TEST_CASE("run_session, an empty prompt is refused") {
  Setup setup;
  setup.request.prompt.clear();
  Recorder recorder;
  const auto summary = engine::run_session(setup.model, nullptr, setup.options, setup.request, recorder);
  REQUIRE(!summary);
  CHECK(summary.error().code == engine::ErrorCode::bad_input);
}
