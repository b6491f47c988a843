// The views of the file, read with nothing but SQLite, against the virtual tables of `dmscope sql` and the
// events.
#include <sqlite3.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "profiling/trace_tools.hpp"
#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;

namespace {

using Rows = std::multiset<std::string>;

Rows plain_rows(const std::filesystem::path& path, const std::string& query) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(db, query.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  Rows rows;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      row += std::string(i == 0 ? "" : ",") + (text == nullptr ? "" : text);
    }
    rows.insert(row);
  }
  REQUIRE(sqlite3_finalize(statement) == SQLITE_OK);
  sqlite3_close(db);
  return rows;
}

Rows tool_rows(const std::filesystem::path& path, const std::string& query) {
  std::ostringstream out;
  const auto status = profiling::run_sql(path, query, false, out);
  if (!status) FAIL(status.error().message);
  std::istringstream lines(out.str());
  std::string line;
  std::getline(lines, line);
  Rows rows;
  while (std::getline(lines, line)) rows.insert(line);
  return rows;
}

const char* const kQueries[] = {
    "SELECT sequence, layer, kv_head, position, round(logit, 6) FROM gates",
    "SELECT * FROM decisions",
    "SELECT * FROM evictions",
    "SELECT * FROM occupancy",
    "SELECT sequence, position, id, phase, step FROM tokens",
    "SELECT * FROM steps",
    "SELECT * FROM kv_reads",
    "SELECT * FROM kernels",
    "SELECT * FROM sequences",
    "SELECT * FROM parameters",
    "SELECT * FROM quality",
    "SELECT * FROM drops",
    // constraints of all kinds
    "SELECT position, round(logit, 6) FROM gates WHERE sequence = 1 AND layer = 1 AND kv_head = 2 AND "
    "position > 45",
    "SELECT count(*), min(position), max(position) FROM gates WHERE position >= 17.5 AND position < 43",
    "SELECT count(*) FROM gates WHERE layer = 99",
    "SELECT count(*) FROM gates WHERE layer = 'one' OR kv_head BETWEEN -5 AND 0",
    "SELECT * FROM decisions WHERE position = 20 AND kv_head >= 1",
    "SELECT * FROM evictions WHERE evicted_step = 30",
    "SELECT * FROM evictions WHERE sequence = 1 AND layer = 0 AND position <= 40",
    "SELECT * FROM evictions WHERE evicted_step BETWEEN 1 AND 2 AND kv_head = 1",
    "SELECT * FROM occupancy WHERE step = 30 AND layer = 1",
    "SELECT * FROM occupancy WHERE step > 10 AND step <= 12 AND kv_head = 2",
    "SELECT * FROM occupancy WHERE sequence = 1 ORDER BY step DESC LIMIT 7",
    "SELECT e.position, o.live FROM evictions e JOIN occupancy o ON o.step = e.evicted_step AND o.sequence = "
    "e.sequence "
    "AND o.layer = e.layer AND o.kv_head = e.kv_head WHERE e.layer = 0 AND e.kv_head = 0",
};

void check_queries(const std::filesystem::path& path) {
  for (const char* query : kQueries) {
    INFO(query);
    const Rows expected = plain_rows(path, query);
    CHECK(tool_rows(path, query) == expected);
  }
}

}  // namespace

TEST_CASE("Views, say what the virtual tables say") {
  const TemporaryFolder folder;
  SyntheticOptions options{.chains = 2};
  SECTION("of a run with a closed form") {}
  SECTION("of a run that judges each token itself") {
    options.lag = 0;
  }
  SECTION("of a run without a closed form") {
    options.closed_form = false;
  }
  SECTION("of a run that takes whole pages at once") {
    options.page_slots = 32;
  }
  record(folder / "t.db", options, 40);
  check_queries(folder / "t.db");
}

TEST_CASE("Views, see the tails of a recording that goes on") {
  const TemporaryFolder folder;
  auto writer = profiling::TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  SyntheticRun run({.chains = 2});
  run.start(**writer);
  for (int step = 0; step < 10; ++step) {
    for (int i = 0; i < 4; ++i) run.decode(**writer);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(plain_rows(folder / "t.db", "SELECT count(*) > 1 FROM gate_tails") == Rows{"1"});
  check_queries(folder / "t.db");
  REQUIRE((*writer)->finish());
}

TEST_CASE("Views, evictions are those of the definition") {
  const TemporaryFolder folder;
  // The same run twice: once with a closed form, once with its evictions recorded as they happened.
  SyntheticOptions options{.chains = 3};
  record(folder / "closed.db", options, 40);
  options.closed_form = false;
  record(folder / "recorded.db", options, 40);
  const std::string query = "SELECT sequence, layer, kv_head, position, evicted_step FROM evictions";
  const Rows closed = tool_rows(folder / "closed.db", query);
  CHECK(closed.size() > 500);
  CHECK(closed == tool_rows(folder / "recorded.db", query));
}

TEST_CASE("Views, occupancy is what was recorded") {
  const TemporaryFolder folder;
  auto writer = profiling::TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  Recording recording;
  Tee tee(**writer, recording);
  emit_run(tee, {.chains = 2}, 40);
  REQUIRE((*writer)->finish());
  Rows expected;
  for (const auto& event : recording.events) {
    const auto* occupancy = std::get_if<engine::OccupancyChanged>(&event);
    if (occupancy == nullptr) continue;
    for (std::size_t head = 0; head < occupancy->live.size(); ++head) {
      expected.insert(fmt::format("{},{},{},{},{},{}", occupancy->step, occupancy->sequence, head / 3,
                                  head % 3, occupancy->live[head], occupancy->allocated[head]));
    }
  }
  CHECK(plain_rows(folder / "t.db", "SELECT * FROM occupancy") == expected);
}
