// A recording in another process, followed while it grows.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <optional>

#include "app/live/trace_source.hpp"
#include "profiling/trace_reader.hpp"
#include "tests/app/live/collected_events.hpp"
#include "tests/app/support/program.hpp"
#include "tests/app/support/talking_checkpoint.hpp"
#include "tests/profiling/event_text.hpp"

using namespace app::live;
using live_test::CollectedEvents;
using live_test::wait_for;

namespace {

support::CheckpointOptions slow_dms_options() {
  support::CheckpointOptions options = support::talking_options();
  options.gates = support::Gates::nvidia_adapter;
  options.window = 8;
  options.layers = 8;
  options.hidden = 256;
  options.intermediate = 1024;
  options.max_positions = 4096;
  return options;
}

std::vector<std::string> record(const support::TalkingCheckpoint& model, const char* tokens) {
  return {"record",   "--model", model.path(), "--tokens", tokens,      "--trace", (model / "t.db").string(),
          "--prompt", "Hello",   "--raw",      "--quiet",  "--threads", "1",       "--ignore-eos"};
}

// What TraceSource saw of a recording that `program` makes.
struct Follower {
  std::shared_ptr<CollectedEvents> sink = std::make_shared<CollectedEvents>();
  std::optional<TraceSource> source;
  std::size_t seen_while_running = 0;

  // Called while the program runs; true once there is nothing more to look at.
  bool look(const std::filesystem::path& path) {
    if (!source && std::filesystem::exists(path)) source.emplace(path, sink);
    if (!source || source->status()->state != TraceState::following) return false;
    seen_while_running = sink->all<engine::StepFinished>().size();
    return seen_while_running > 20;
  }
};

}  // namespace

TEST_CASE("TraceSource, follows 'dmscope record' in another process to the last event") {
  const support::TalkingCheckpoint model(slow_dms_options());
  Follower follower;
  const auto result = support::run_program(
      record(model, "1500"), {.while_running = [&](pid_t) { return follower.look(model / "t.db"); }});
  INFO(result.err);
  REQUIRE(result.status == 0);
  REQUIRE(follower.source);
  CHECK(follower.seen_while_running > 20);
  wait_for("the end", [&] { return follower.source->status()->ended(); });
  INFO(follower.source->status()->reason);
  CHECK(follower.source->status()->state == TraceState::finished);
  CHECK(!std::filesystem::exists(model / "t.db-wal"));

  CollectedEvents saved;
  const auto reader = profiling::TraceReader::open(model / "t.db");
  REQUIRE(reader);
  REQUIRE((*reader)->replay(saved));
  const auto expected = saved.events(), followed = follower.sink->events();
  REQUIRE(expected.size() == followed.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    REQUIRE(profiling_test::event_text(expected[i]) == profiling_test::event_text(followed[i]));
  }
}

TEST_CASE("TraceSource, a recording that is killed falls silent, and what it committed is shown") {
  const support::TalkingCheckpoint model(slow_dms_options());
  Follower follower;
  const auto result = support::run_program(record(model, "4000"), {.while_running = [&](pid_t program) {
                                             if (!follower.look(model / "t.db")) return false;
                                             kill(program, SIGKILL);
                                             return true;
                                           }});
  REQUIRE(result.status == 128 + SIGKILL);
  REQUIRE(follower.source);
  wait_for("silence", [&] { return follower.source->status()->state == TraceState::silent; });
  CHECK(follower.sink->all<engine::StepFinished>().size() >= follower.seen_while_running);
  CHECK(follower.sink->all<engine::RunFinished>().empty());
}
