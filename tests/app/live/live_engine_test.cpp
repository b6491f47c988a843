#include "app/live/live_engine.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <vector>

#include "app/live/trace_source.hpp"
#include "profiling/trace_reader.hpp"
#include "tests/app/live/collected_events.hpp"
#include "tests/app/support/talking_checkpoint.hpp"
#include "tests/profiling/event_text.hpp"

using namespace app::live;
using live_test::CollectedEvents;
using live_test::wait_for;

namespace {

support::CheckpointOptions dms_options() {
  support::CheckpointOptions options = support::talking_options();
  options.gates = support::Gates::nvidia_adapter;
  options.window = 8;
  return options;
}

app::RunOptions hello(std::int32_t tokens) {
  app::RunOptions options;
  options.prompt.text = "Hello there";
  options.prompt.raw = true;
  options.tokens = tokens;
  options.ignore_eos = true;
  options.device.device = "cpu";  // also where there is a GPU
  options.device.threads = 1;
  return options;
}

struct Live {
  support::TalkingCheckpoint checkpoint{dms_options()};
  LiveEngine engine;

  Live() { load(); }
  void load() {
    engine.post(LoadModel{checkpoint.path()});
    wait_for("the model", [&] { return engine.status()->state == LiveState::ready; });
  }
  std::shared_ptr<CollectedEvents> start(const app::RunOptions& options, bool paused = false) {
    auto sink = std::make_shared<CollectedEvents>();
    engine.post(StartRun{options, sink, std::nullopt, paused});
    return sink;
  }
  std::shared_ptr<const LiveStatus> end_of_run(std::int64_t run) {
    wait_for("the end of the run",
             [&] { return engine.status()->run == run && !engine.status()->running(); });
    return engine.status();
  }
  void wait_for_pause_at(std::int32_t done) {
    wait_for("the pause", [&] {
      const auto status = engine.status();
      return status->paused && status->state == LiveState::decoding && status->done == done;
    });
  }
};

std::string text_of(const CollectedEvents& events) {
  std::string text;
  for (const auto& token : events.all<engine::TokenAdded>()) text += token.text;
  return text;
}

}  // namespace

TEST_CASE("LiveEngine, a run's events come to its sink and its summary to the status") {
  Live live;
  const auto sink = live.start(hello(20));
  const auto status = live.end_of_run(1);
  INFO((status->error ? status->error->message : ""));
  CHECK(status->state == LiveState::ready);
  CHECK(status->finish_reason == "length");
  REQUIRE(status->summary);
  CHECK(status->summary->decode_tokens == 20);
  CHECK(std::holds_alternative<engine::RunStarted>(sink->events().front()));
  CHECK(std::holds_alternative<engine::RunFinished>(sink->events().back()));
  CHECK(sink->all<engine::TokenAdded>().size() == 31);
  CHECK(text_of(*sink) == "Hello there" + status->summary->texts.front());
  CHECK(status->model->config.vocab == support::kVocab);
}

TEST_CASE("LiveEngine, a run can be recorded, and the trace tells what the sink was told") {
  Live live;
  auto sink = std::make_shared<CollectedEvents>();
  auto options = hello(30);
  options.chains = 2;  // of equal chains there is a notice
  live.engine.post(StartRun{options, sink, app::TraceTarget{live.checkpoint / "t.db"}});
  CHECK(!live.end_of_run(1)->trace_error);
  const auto reader = profiling::TraceReader::open(live.checkpoint / "t.db");
  REQUIRE(reader);
  CollectedEvents replayed;
  REQUIRE((*reader)->replay(replayed));
  CHECK(sink->all<engine::Notice>().size() == 1);
  const auto told = sink->events(), kept = replayed.events();
  REQUIRE(told.size() == kept.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    // Logits are stored as halves: compared as such.
    if (std::holds_alternative<engine::GatesDecided>(told[i])) continue;
    REQUIRE(profiling_test::event_text(told[i]) == profiling_test::event_text(kept[i]));
  }
}

TEST_CASE("LiveEngine, what recording cost reads the same from the trace") {
  Live live;
  auto sink = std::make_shared<CollectedEvents>();
  live.engine.post(StartRun{hello(60), sink, app::TraceTarget{live.checkpoint / "t.db"}});
  wait_for("a cost while it runs", [&] { return live.engine.status()->cost.has_value(); });
  const auto status = live.end_of_run(1);
  REQUIRE(status->cost);
  REQUIRE(status->cost->busy_ns);
  CHECK(*status->cost->busy_ns > 0);
  CHECK(status->cost->dropped_spans == 0);
  const std::int64_t run_ns = sink->all<engine::RunFinished>().front().end_ns;
  CHECK(status->cost->share_of(run_ns) > 0.0);

  const TraceSource source(live.checkpoint / "t.db", std::make_shared<CollectedEvents>());
  wait_for("the end of the trace", [&] { return source.status()->ended(); });
  CHECK(source.status()->cost == *status->cost);

  live.start(hello(5));
  CHECK_FALSE(live.end_of_run(2)->cost);  // nothing is recorded now
}

TEST_CASE("LiveEngine, the model stays for the next run, with another policy") {
  Live live;
  live.start(hello(30));
  const auto first = live.end_of_run(1);
  auto dense = hello(30);
  dense.policy.name = "dense";
  live.start(dense);
  const auto second = live.end_of_run(2);
  REQUIRE(second->summary);
  CHECK(second->model == first->model);
  CHECK(second->summary->live_slots == second->summary->dense_slots);
  CHECK(first->summary->live_slots < first->summary->dense_slots);
  auto none = hello(30);
  none.policy.options.threshold = 1000.0;
  none.quality = true;
  const auto sink = live.start(none);
  const auto third = live.end_of_run(3);
  CHECK(third->summary->ids == second->summary->ids);  // nothing marked: as dense
  CHECK(third->summary->mean_kl < 1e-6);
  CHECK(sink->all<engine::QualityMeasured>().size() == 2 * 30);
}

TEST_CASE("LiveEngine, pauses, steps one by one, and goes on") {
  Live live;
  const auto sink = live.start(hello(60), true);
  wait_for("a pause after the first step", [&] { return live.engine.status()->paused; });
  CHECK(live.engine.status()->state == LiveState::prefill);
  CHECK(sink->all<engine::StepFinished>().size() == 1);
  for (std::int32_t token = 1; token <= 3; ++token) {
    live.engine.post(StepOnce{});
    live.wait_for_pause_at(token);
    // A sampled token is processed with the next one.
    CHECK(sink->all<engine::StepFinished>().size() == static_cast<std::size_t>(token));
  }
  live.engine.post(SetPace{20});
  live.engine.post(Resume{});
  wait_for("more tokens", [&] { return !live.engine.status()->paused && live.engine.status()->done >= 5; });
  live.engine.post(Pause{});
  wait_for("the pause", [&] { return live.engine.status()->paused; });
  const std::int32_t done = live.engine.status()->done;
  live.engine.post(StepOnce{});
  live.engine.post(StepOnce{});
  live.wait_for_pause_at(done + 2);
  const auto stood = sink->events().size();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CHECK(sink->events().size() == stood);
  live.engine.post(SetPace{0});
  live.engine.post(Resume{});
  const auto status = live.end_of_run(1);
  CHECK(status->finish_reason == "length");
  CHECK(!status->paused);
  CHECK(status->summary->decode_seconds < 5);  // the time of the pauses is not the run's
}

TEST_CASE("LiveEngine, what was written does not depend on pauses") {
  Live live;
  const auto plain = live.start(hello(25));
  live.end_of_run(1);
  const auto paused = live.start(hello(25), true);
  for (int i = 0; i < 10; ++i) live.engine.post(StepOnce{});
  live.engine.post(Resume{});
  live.end_of_run(2);
  CHECK(text_of(*plain) == text_of(*paused));
  CHECK(plain->events().size() == paused->events().size());
}

TEST_CASE("LiveEngine, decodes no faster than the pace, which can be lifted") {
  Live live;
  live.engine.post(SetPace{50});
  const auto begun = std::chrono::steady_clock::now();
  live.start(hello(400));
  wait_for("eleven tokens", [&] { return live.engine.status()->done >= 11; });
  CHECK(std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(170));
  CHECK(live.engine.status()->pace == 50);
  live.engine.post(SetPace{std::nan("")});
  const auto status = live.end_of_run(1);  // 400 tokens at 50 per second would take 8 s
  CHECK(status->pace == 0);
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(8));
}

TEST_CASE("LiveEngine, a stop ends a run that is paused or going, and the model stays") {
  Live live;
  const auto sink = live.start(hello(400), true);
  wait_for("the pause", [&] { return live.engine.status()->paused; });
  live.engine.post(StepOnce{});
  live.wait_for_pause_at(1);
  live.engine.post(Stop{});
  auto status = live.end_of_run(1);
  CHECK(status->finish_reason == "interrupted");
  CHECK(!status->error);
  CHECK(sink->all<engine::RunFinished>().front().reason == "interrupted");
  live.engine.post(SetPace{100});
  live.start(hello(400));
  wait_for("some tokens", [&] { return live.engine.status()->done > 3; });
  live.engine.post(Stop{});
  status = live.end_of_run(2);
  CHECK(status->finish_reason == "interrupted");
  CHECK(status->summary->decode_tokens < 400);
  CHECK(status->state == LiveState::ready);
}

TEST_CASE("LiveEngine, starting a run ends the one in progress") {
  Live live;
  const auto first = live.start(hello(400), true);
  wait_for("the pause", [&] { return live.engine.status()->paused; });
  const auto second = live.start(hello(5));
  CHECK(live.end_of_run(2)->finish_reason == "length");
  CHECK(first->all<engine::RunFinished>().front().reason == "interrupted");
  CHECK(second->all<engine::RunFinished>().front().reason == "length");
}

TEST_CASE("LiveEngine, ends at once while a run is paused") {
  auto live = std::make_unique<Live>();
  live->start(hello(400), true);
  wait_for("the pause", [&] { return live->engine.status()->paused; });
  const auto begun = std::chrono::steady_clock::now();
  live.reset();
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(5));
}

TEST_CASE("LiveEngine, what is wrong becomes a status, and the next run works") {
  Live live;
  const auto refused = [&](const app::RunOptions& options, const std::string& what,
                           std::optional<app::TraceTarget> trace = {}) {
    const std::int64_t run = live.engine.status()->run + 1;
    live.engine.post(StartRun{options, std::make_shared<CollectedEvents>(), std::move(trace)});
    const auto status = live.end_of_run(run);
    INFO(what);
    REQUIRE(status->error);
    CHECK(status->error->message.find(what) != std::string::npos);
    CHECK(status->state == LiveState::ready);
  };
  auto options = hello(5);
  options.policy.name = "magic";
  refused(options, "--policy");
  options = hello(5);
  options.policy.name = "quest";
  refused(options, "not built");
  options = hello(5);
  options.policy.options.threshold = 1.0;
  options.policy.options.target_cr = 2.0;
  refused(options, "--target-cr");
  options = hello(5);
  options.prompt.text = std::string(100'000, 'x');
  refused(options, "max_position_embeddings");
  options.prompt.text = "";
  refused(options, "empty");
  options.prompt.text = "\xff\xfe";
  refused(options, "UTF-8");
  options.prompt.text.reset();
  options.prompt.file = "-";
  refused(options, "standard input");
  options.prompt.file = (live.checkpoint / "absent.txt").string();
  refused(options, "absent.txt");
  options = hello(0);
  refused(options, "--tokens");
  options = hello(5);
  options.sampling.temperature = std::nan("");
  refused(options, "--temperature");
  options = hello(5);
  options.sampling.top_p = 0;
  refused(options, "--top-p");
  options = hello(5);
  options.chains = 0;
  refused(options, "--chains");
  options = hello(5);
  options.policy.options.window = -1;
  refused(options, "--window");
  options = hello(5);
  options.device.device = "abacus";
  refused(options, "--device");
  refused(hello(5), "absent", app::TraceTarget{live.checkpoint / "absent/t.db"});
  support::write_file(live.checkpoint / "note.txt", "not a trace");
  refused(hello(5), "not a trace", app::TraceTarget{live.checkpoint / "note.txt", true});

  const std::int64_t run = live.engine.status()->run + 1;
  live.start(hello(5));
  CHECK(!live.end_of_run(run)->error);
  CHECK(live.engine.status()->summary);
}

TEST_CASE("LiveEngine, a folder without a model is an error that names it, and another can be loaded") {
  const support::TalkingCheckpoint checkpoint{dms_options()};
  const support::TempFolder empty;
  LiveEngine engine;
  engine.post(LoadModel{empty.path()});
  wait_for("the refusal", [&] { return engine.status()->error.has_value(); });
  CHECK(engine.status()->state == LiveState::empty);
  CHECK(!engine.status()->model);
  CHECK(engine.status()->error->message.find(empty.path().string()) != std::string::npos);
  engine.post(StartRun{hello(5), std::make_shared<CollectedEvents>()});
  wait_for("the run", [&] { return engine.status()->run == 1 && !engine.status()->running(); });
  CHECK(engine.status()->error->message.find("no model") != std::string::npos);
  engine.post(LoadModel{checkpoint.path()});
  wait_for("the model", [&] { return engine.status()->state == LiveState::ready; });
  CHECK(!engine.status()->error);
}

TEST_CASE("LiveEngine, a model that cannot be loaded leaves the one before in its place") {
  Live live;
  const auto model = live.engine.status()->model;
  const support::TempFolder empty;
  live.engine.post(LoadModel{empty.path()});
  wait_for("the refusal", [&] { return live.engine.status()->error.has_value(); });
  const auto status = live.engine.status();
  CHECK(status->error->message.find(empty.path().string()) != std::string::npos);
  CHECK(status->state == LiveState::ready);
  CHECK(status->model == model);
  CHECK(status->folder == live.checkpoint.path());
  live.start(hello(5));
  CHECK(live.end_of_run(1)->summary);
}

TEST_CASE("LiveEngine, tells every change of its status") {
  std::atomic<int> changes{0};
  const support::TalkingCheckpoint checkpoint{dms_options()};
  LiveEngine engine([&] { ++changes; });
  engine.post(LoadModel{checkpoint.path()});
  wait_for("the model", [&] { return engine.status()->state == LiveState::ready; });
  const int loaded = changes;
  CHECK(loaded >= 2);
  engine.post(StartRun{hello(10), std::make_shared<CollectedEvents>()});
  wait_for("the run", [&] { return engine.status()->summary != nullptr; });
  CHECK(changes >= loaded + 11);
}

TEST_CASE("LiveEngine, says after the last token that it measures what profiling costs") {
  const support::TalkingCheckpoint checkpoint{dms_options()};
  std::mutex mutex;
  std::vector<LiveStatus> all;
  const LiveEngine* told_of = nullptr;
  LiveEngine engine([&] {
    const std::lock_guard lock(mutex);
    all.push_back(*told_of->status());
  });
  told_of = &engine;  // which tells nothing before it has a command
  engine.post(LoadModel{checkpoint.path()});
  wait_for("the model", [&] { return engine.status()->state == LiveState::ready; });
  app::RunOptions options = hello(6);
  options.device.device = "auto";  // the CPU alone is refused: there is no profiling there
  options.measure_cost = true;
  engine.post(StartRun{options, std::make_shared<CollectedEvents>()});
  wait_for("the run", [&] { return engine.status()->summary != nullptr; });
  const auto told = [&] {
    const std::lock_guard lock(mutex);
    return all;
  }();
  const auto measuring = std::find_if(
      told.begin(), told.end(), [](const LiveStatus& each) { return each.state == LiveState::measuring; });
  REQUIRE(measuring != told.end());
  CHECK(measuring->stage == "measuring what profiling costs");
  CHECK(measuring->done == 6);
  CHECK(std::prev(measuring)->state == LiveState::decoding);
  CHECK(std::prev(measuring)->stage.empty());
  CHECK(engine.status()->state == LiveState::ready);
  CHECK(engine.status()->stage.empty());
}
