#include "app/live/trace_source.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <semaphore>

#include "app/live/file_identity.hpp"
#include "profiling/trace_writer.hpp"
#include "tests/app/live/collected_events.hpp"
#include "tests/profiling/event_text.hpp"
#include "tests/profiling/synthetic_run.hpp"
#include "tests/support/temp_folder.hpp"

using namespace app::live;
using live_test::CollectedEvents;
using live_test::wait_for;
using profiling::TraceWriter;
using profiling_test::SyntheticRun;

namespace {

namespace fs = std::filesystem;

void record(const fs::path& path, int steps) {
  auto writer = TraceWriter::create(path, {});
  REQUIRE(writer);
  profiling_test::emit_run(**writer, {}, steps);
  REQUIRE((*writer)->finish());
}

std::shared_ptr<const TraceStatus> end_of(const TraceSource& source) {
  wait_for("the end of the trace", [&] { return source.status()->ended(); });
  return source.status();
}

void check_same(const std::vector<engine::Event>& expected, const std::vector<engine::Event>& actual) {
  REQUIRE(expected.size() == actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    REQUIRE(profiling_test::event_text(expected[i]) == profiling_test::event_text(actual[i]));
  }
}

// A recording in this process, a step at a time.
struct Growing {
  explicit Growing(const fs::path& path) {
    auto created = TraceWriter::create(path, {});
    REQUIRE(created);
    writer = std::move(*created);
    run.start(tee());
  }
  void step() { run.decode(tee()); }
  void finish() {
    run.finish(tee());
    REQUIRE(writer->finish());
  }
  profiling_test::Tee& tee() {
    both.emplace(told, *writer);
    return *both;
  }

  std::unique_ptr<TraceWriter> writer;
  profiling_test::Recording told;
  std::optional<profiling_test::Tee> both;
  SyntheticRun run{{}};
};

}  // namespace

TEST_CASE("TraceSource, replays a saved trace to its end") {
  const support::TempFolder folder;
  record(folder / "t.db", 50);
  profiling_test::Recording told;
  profiling_test::emit_run(told, {}, 50);
  auto sink = std::make_shared<CollectedEvents>();
  const TraceSource source(folder / "t.db", sink);
  const auto status = end_of(source);
  INFO(status->reason);
  CHECK(status->state == TraceState::finished);
  CHECK(status->share == 1);
  check_same(told.events, sink->events());
}

TEST_CASE("TraceSource, follows a recording and leaves it one file when it has finished") {
  const support::TempFolder folder;
  Growing growing(folder / "t.db");
  auto sink = std::make_shared<CollectedEvents>();
  const TraceSource source(folder / "t.db", sink);
  for (int i = 0; i < 5; ++i) {
    growing.step();
    const auto told = growing.told.events.size();
    wait_for("the new events", [&] { return sink->events().size() == told; });
    CHECK(!source.status()->ended());
  }
  CHECK(source.status()->state == TraceState::following);
  growing.finish();
  CHECK(end_of(source)->state == TraceState::finished);
  check_same(growing.told.events, sink->events());
  CHECK(!fs::exists(folder / "t.db-wal"));
}

TEST_CASE("TraceSource, waits for a recording that is just beginning") {
  const support::TempFolder folder;
  support::write_file(folder / "t.db", "");
  auto sink = std::make_shared<CollectedEvents>();
  const TraceSource source(folder / "t.db", sink);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  CHECK(source.status()->state == TraceState::opening);
  record(folder / "u.db", 3);
  fs::rename(folder / "u.db", folder / "t.db");
  CHECK(end_of(source)->state == TraceState::finished);
}

TEST_CASE("TraceSource, what is not a trace is a status with its reason") {
  const support::TempFolder folder;
  const auto refused = [&](const fs::path& path, const std::string& why) {
    const TraceSource source(path, std::make_shared<CollectedEvents>());
    const auto status = end_of(source);
    CHECK(status->state == TraceState::failed);
    INFO(status->reason);
    CHECK(status->reason.find(why) != std::string::npos);
    CHECK(status->reason.find(path.string()) != std::string::npos);
  };
  refused(folder / "absent.db", "no such file");
  refused(folder.path(), "folder");
  support::write_file(folder / "text.db", "a text");
  refused(folder / "text.db", "not an SQLite file");
  record(folder / "t.db", 400);
  fs::resize_file(folder / "t.db", fs::file_size(folder / "t.db") / 2);
  refused(folder / "t.db", "cut off");
}

TEST_CASE("TraceSource, notices a trace that is deleted or replaced while it is open") {
  const support::TempFolder folder;
  for (const bool replaced : {false, true}) {
    const fs::path path = folder / (replaced ? "r.db" : "d.db");
    Growing growing(path);
    const TraceSource source(path, std::make_shared<CollectedEvents>());
    wait_for("following", [&] { return source.status()->state == TraceState::following; });
    if (replaced) {
      record(folder / "other.db", 3);
      fs::rename(folder / "other.db", path);
    } else {
      fs::remove(path);
    }
    const auto status = end_of(source);
    CHECK(status->state == TraceState::failed);
    CHECK(status->reason.find(replaced ? "replaced" : "deleted") != std::string::npos);
  }
}

TEST_CASE("TraceSource, damage met while following is told and does no harm") {
  const support::TempFolder folder;
  Growing growing(folder / "t.db");
  const TraceSource source(folder / "t.db", std::make_shared<CollectedEvents>());
  wait_for("following", [&] { return source.status()->state == TraceState::following; });
  {
    std::ofstream log(folder / "t.db-wal", std::ios::binary | std::ios::in | std::ios::out);
    const std::string rubbish(200'000, 'x');
    log.write(rubbish.data(), static_cast<std::streamsize>(rubbish.size()));
  }
  growing.step();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto status = source.status();
  if (status->ended()) CHECK(!status->reason.empty());
}

TEST_CASE("TraceSource, a trace whose recording was cut short is shown, says so, and is left as it was") {
  const support::TempFolder folder;
  {
    Growing growing(folder / "growing.db");
    growing.step();
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    for (const char* suffix : {"", "-wal", "-shm"}) {  // as a killed process leaves them
      fs::copy_file(folder / (std::string("growing.db") + suffix), folder / (std::string("t.db") + suffix));
    }
  }
  const auto bytes = fs::file_size(folder / "t.db-wal");
  auto sink = std::make_shared<CollectedEvents>();
  {
    const TraceSource source(folder / "t.db", sink);
    wait_for("silence", [&] { return source.status()->state == TraceState::silent; });
    CHECK(source.status()->reason.find("cut short") != std::string::npos);
  }
  CHECK(sink->all<engine::StepFinished>().size() >= 4);
  CHECK(fs::file_size(folder / "t.db-wal") == bytes);
}

TEST_CASE("TraceSource, can be cancelled in the middle of a replay") {
  const support::TempFolder folder;
  {
    auto writer = TraceWriter::create(folder / "t.db", {});
    REQUIRE(writer);
    SyntheticRun run({});
    run.start(**writer);
    for (int i = 0; i < 4; ++i) {
      run.decode(**writer);
      std::this_thread::sleep_for(std::chrono::milliseconds(120));
    }
    run.finish(**writer);
    REQUIRE((*writer)->finish());
  }
  // A sink that stands still until the test lets it go on.
  struct Slow : engine::EventSink {
    std::binary_semaphore reached{0}, go_on{0};
    int events = 0;
    void on_event(engine::Event) override {
      if (++events != 1) return;
      reached.release();
      go_on.acquire();
    }
  };
  auto sink = std::make_shared<Slow>();
  TraceSource source(folder / "t.db", sink);
  sink->reached.acquire();
  source.cancel();
  sink->go_on.release();
  CHECK(end_of(source)->state == TraceState::cancelled);
  profiling_test::Recording whole;
  profiling_test::emit_run(whole, {}, 4);
  CHECK(sink->events < static_cast<int>(whole.events.size()));
}

TEST_CASE("identity_of and locked_by_another_process, look at a file without opening it") {
  const support::TempFolder folder;
  CHECK(!identity_of(folder / "absent"));
  support::write_file(folder / "a", "1");
  support::write_file(folder / "b", "1");
  CHECK(identity_of(folder / "a") == identity_of(folder / "a"));
  CHECK(identity_of(folder / "a") != identity_of(folder / "b"));
  CHECK(!locked_by_another_process(*identity_of(folder / "a")));
}
