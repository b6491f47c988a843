#include "profiling/trace_follower.hpp"

#include <sqlite3.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "profiling/schema.hpp"
#include "profiling/trace_reader.hpp"
#include "tests/profiling/event_text.hpp"
#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;
using profiling::TraceFollower;
using profiling::TraceWriter;

namespace {

constexpr auto kPastACommit = std::chrono::milliseconds(120);

std::unique_ptr<TraceFollower> open(const std::filesystem::path& path) {
  auto follower = TraceFollower::open(path);
  if (!follower) FAIL(follower.error().message);
  return std::move(*follower);
}

bool advance(TraceFollower& follower, engine::EventSink& sink) {
  const auto portion = follower.emit_new(sink);
  if (!portion) FAIL(portion.error().message);
  return *portion;
}

void check_same(const std::vector<engine::Event>& expected, const std::vector<engine::Event>& actual) {
  REQUIRE(expected.size() == actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(event_text(expected[i]) == event_text(actual[i]));
}

// Follows a run that pauses for a commit after every `burst` decode steps.
void follow_run(const SyntheticOptions& options, int bursts, int burst) {
  const TemporaryFolder folder;
  auto writer = TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  Recording told;
  Tee tee(told, **writer);
  SyntheticRun run(options);
  run.start(tee);
  std::this_thread::sleep_for(kPastACommit);
  const auto follower = open(folder / "t.db");
  Recording followed;
  advance(*follower, followed);
  int portions = 0;
  for (int i = 0; i < bursts; ++i) {
    for (int step = 0; step < burst; ++step) run.decode(tee);
    std::this_thread::sleep_for(kPastACommit);
    portions += advance(*follower, followed) ? 1 : 0;
    CHECK(!follower->finished());
  }
  CHECK(portions > bursts / 2);
  run.finish(tee);
  REQUIRE((*writer)->finish());
  while (advance(*follower, followed)) {
  }
  CHECK(follower->finished());
  check_same(told.events, followed.events);
}

// A program that writes a trace by hand.
class Connection {
 public:
  explicit Connection(const std::filesystem::path& path) {
    REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
  }
  ~Connection() { sqlite3_close(db_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void run(const std::string& sql) const {
    INFO(sql);
    REQUIRE(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace

TEST_CASE("TraceFollower, portions of a growing trace are the run as it was told") {
  follow_run({.chains = 2}, 6, 5);
}

TEST_CASE("TraceFollower, follows across the rows that a recording rewrites") {
  // More tokens than a gate chunk and more steps than an occupancy run hold.
  follow_run({.prompt_tokens = 900, .prefill_chunk = 128}, 6, 120);
}

TEST_CASE("TraceFollower, follows a policy without closed form") {
  follow_run({.closed_form = false}, 4, 30);
}

TEST_CASE("TraceFollower, tokens judged again while following are told as they were judged") {
  const TemporaryFolder folder;
  auto writer = TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  Recording told, followed;
  Tee tee(told, **writer);
  SyntheticRun run({});
  run.start(tee);
  std::this_thread::sleep_for(kPastACommit);
  const auto follower = open(folder / "t.db");
  advance(*follower, followed);
  const auto judge = [&](std::int32_t first, std::int32_t count, float logit) {
    engine::GatesDecided gates{0, first, count, 99, {}, {}};
    gates.logits.assign(static_cast<std::size_t>(6 * count), logit);
    gates.marked.assign(static_cast<std::size_t>(6 * count), logit > 0);
    tee.on_event(gates);
    std::this_thread::sleep_for(kPastACommit);
    advance(*follower, followed);
  };
  judge(39, 21, 1);
  judge(50, 5, -2);  // the chunk that ends here holds positions 50 to 54 as well
  judge(55, 5, 3);
  judge(70, 5, 4);  // and one that jumps
  REQUIRE((*writer)->finish());
  while (advance(*follower, followed)) {
  }
  check_same(told.events, followed.events);
}

TEST_CASE(
    "TraceFollower, a recording that was opened before it had a write-ahead log is followed all the same") {
  const TemporaryFolder folder;
  record(folder / "whole.db", {}, 20);
  {
    auto writer = TraceWriter::create(folder / "t.db", {});
    REQUIRE(writer);
    REQUIRE((*writer)->finish());
  }
  const Connection recorder(folder / "t.db");
  recorder.run("PRAGMA journal_mode = WAL");
  const auto follower = open(folder / "t.db");
  CHECK_FALSE(follower->has_write_ahead_log());
  Recording followed;
  CHECK_FALSE(advance(*follower, followed));

  recorder.run("ATTACH '" + (folder / "whole.db").string() + "' AS whole");
  for (const auto& table : profiling::raw_tables()) {
    const std::string name(table.name);
    recorder.run("INSERT OR REPLACE INTO main." + name + " SELECT * FROM whole." + name);
  }
  CHECK(advance(*follower, followed));
  CHECK(follower->finished());
}

TEST_CASE("TraceFollower, nothing comes before the run has begun") {
  const TemporaryFolder folder;
  auto writer = TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  const auto follower = open(folder / "t.db");
  Recording followed;
  CHECK(!advance(*follower, followed));
  CHECK(follower->has_write_ahead_log());
  emit_run(**writer, {}, 3);
  REQUIRE((*writer)->finish());
  CHECK(advance(*follower, followed));
  CHECK(follower->finished());
}

TEST_CASE("TraceFollower, a saved trace comes in one portion that tells how far it is, and can be ended") {
  const TemporaryFolder folder;
  auto writer = TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  SyntheticRun run({});
  run.start(**writer);
  for (int i = 0; i < 3; ++i) {
    run.decode(**writer);
    std::this_thread::sleep_for(kPastACommit);
  }
  run.finish(**writer);
  REQUIRE((*writer)->finish());
  const std::string before = read_bytes(folder / "t.db");

  const auto whole = open(folder / "t.db");
  Recording followed;
  double last = 0;
  REQUIRE(whole->emit_new(followed, [&](double share) {
    CHECK(share > last);
    last = share;
    return true;
  }));
  CHECK(last == 1);
  CHECK(whole->finished());
  CHECK(!advance(*whole, followed));

  const auto ended = open(folder / "t.db");
  Recording some;
  REQUIRE(ended->emit_new(some, [](double) { return false; }));
  CHECK(!some.events.empty());
  CHECK(some.events.size() < followed.events.size());
  CHECK(read_bytes(folder / "t.db") == before);
  CHECK(!std::filesystem::exists(folder / "t.db-wal"));
}

TEST_CASE("TraceFollower, what is not a trace is refused") {
  const TemporaryFolder folder;
  write_bytes(folder / "t.db", "not a trace");
  CHECK(!TraceFollower::open(folder / "t.db"));
  CHECK(!TraceFollower::open(folder / "absent.db"));
}
