#include <sqlite3.h>
#include <sys/stat.h>
#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <random>

#include "profiling/schema.hpp"
#include "profiling/trace_reader.hpp"
#include "profiling/trace_tools.hpp"
#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;
using Catch::Matchers::ContainsSubstring;
using profiling::TraceReader;

namespace {

void run_on(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_close(db) == SQLITE_OK);
}

void check_refused(const std::filesystem::path& path, const std::string& reason) {
  const auto reader = TraceReader::open(path);
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == engine::ErrorCode::bad_input);
  CHECK_THAT(reader.error().message, ContainsSubstring(path.string()));
  CHECK_THAT(reader.error().message, ContainsSubstring(reason));
  CHECK(reader.error().message.find('\n') == std::string::npos);
}

// Everything a reader can do with a file; returns whether it was accepted. Must never crash or hang.
bool try_everything(const std::filesystem::path& path) {
  const auto reader = TraceReader::open(path);
  if (!reader) return false;
  Recording recording;
  static_cast<void>((*reader)->replay(recording));
  static_cast<void>((*reader)->live_slots(0, 0, 10));
  static_cast<void>(profiling::stats_json(path));
  std::ostringstream out;
  static_cast<void>(profiling::run_sql(path, "SELECT count(*), sum(logit) FROM gates", false, out));
  static_cast<void>(profiling::run_sql(path, "SELECT count(*) FROM evictions", true, out));
  static_cast<void>(profiling::run_sql(path, "SELECT count(*), sum(live) FROM occupancy", true, out));
  return true;
}

}  // namespace

TEST_CASE("TraceReader, what is not a trace is refused") {
  const TemporaryFolder folder;
  const auto path = folder / "t.db";
  SECTION("a missing file") {
    check_refused(path, "no such file");
  }
  SECTION("a file below a file") {
    write_bytes(folder / "f", "x");
    check_refused(folder / "f" / "t.db", "");
  }
  SECTION("an empty file") {
    write_bytes(path, "");
    check_refused(path, "empty");
  }
  SECTION("a folder") {
    std::filesystem::create_directory(path);
    check_refused(path, "folder");
  }
  SECTION("a pipe, without waiting for a writer") {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    check_refused(path, "not a regular file");
  }
  SECTION("a device") {
    check_refused("/dev/zero", "not a regular file");
  }
  SECTION("text") {
    write_bytes(path, std::string(5000, 'x'));
    check_refused(path, "not an SQLite file");
  }
  SECTION("a short text") {
    write_bytes(path, "hello");
    check_refused(path, "not an SQLite file");
  }
  SECTION("an SQLite file of another program") {
    run_on(path, "CREATE TABLE notes(text); INSERT INTO notes VALUES('mine')");
    const std::string before = read_bytes(path);
    check_refused(path, "another program");
    CHECK(read_bytes(path) == before);
  }
}

TEST_CASE("TraceReader, a newer trace is refused with both versions and left as it was") {
  const TemporaryFolder folder;
  const auto path = folder / "t.db";
  record(path, {}, 5);
  run_on(path, "PRAGMA user_version = 7");
  const std::string before = read_bytes(path);
  check_refused(path, "schema version 7 is newer than 2");
  CHECK(read_bytes(path) == before);
  run_on(path, "PRAGMA user_version = 0");
  check_refused(path, "schema version 0");
}

TEST_CASE("TraceReader, a cut trace is refused wherever it is cut") {
  const TemporaryFolder folder;
  record(folder / "whole.db", {}, 20);
  const std::string whole = read_bytes(folder / "whole.db");
  std::mt19937 random(1);
  for (int i = 0; i < 60; ++i) {
    const std::size_t bytes = i < 20 ? static_cast<std::size_t>(i) * 7 : random() % whole.size();
    write_bytes(folder / "cut.db", whole.substr(0, bytes));
    INFO(bytes << " of " << whole.size() << " bytes");
    const auto reader = TraceReader::open(folder / "cut.db");
    REQUIRE_FALSE(reader);
    CHECK(reader.error().code == engine::ErrorCode::bad_input);
    CHECK(std::filesystem::file_size(folder / "cut.db") == bytes);
  }
}

TEST_CASE("TraceReader, names in a damaged schema do not break the one line of the error") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 20);
  run_on(folder / "t.db",
         "PRAGMA writable_schema = 1;"
         "UPDATE sqlite_schema SET name = 'a' || char(10) || 'b', sql = 'nonsense' WHERE name = 'raw_steps'");
  check_refused(folder / "t.db", "damaged");
}

TEST_CASE("TraceReader, damaged pages are refused") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 20);
  std::string bytes = read_bytes(folder / "t.db");
  for (std::size_t page = 2; page < bytes.size() / 4096; page += 2) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page * 4096), 512, '\x5a');
  }
  write_bytes(folder / "t.db", bytes);
  check_refused(folder / "t.db", "damaged");
}

TEST_CASE("TraceReader, flipped bits never do harm") {
  const TemporaryFolder folder;
  record(folder / "whole.db", {.chains = 2}, 20);
  const std::string whole = read_bytes(folder / "whole.db");
  std::mt19937 random(2);
  int refused = 0;
  for (int i = 0; i < 150; ++i) {
    std::string bytes = whole;
    for (int flips = 0; flips < 1 + i % 20; ++flips) {
      char& byte = bytes[random() % bytes.size()];
      byte = static_cast<char>(byte ^ (1 << random() % 8));
    }
    write_bytes(folder / "t.db", bytes);
    refused += try_everything(folder / "t.db") ? 0 : 1;
  }
  CHECK(refused > 10);
  CHECK(refused < 150);
}

TEST_CASE("TraceReader, a table that is not as it should be is refused") {
  const TemporaryFolder folder;
  const auto path = folder / "t.db";
  record(path, {}, 5);
  SECTION("missing") {
    run_on(path, "DROP TABLE raw_steps");
    check_refused(path, "raw_steps is missing");
  }
  SECTION("a view in its place") {
    run_on(path,
           "DROP TABLE raw_notices; CREATE VIEW raw_notices AS WITH RECURSIVE n(id) AS "
           "(SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, 'x' AS text FROM n");
    check_refused(path, "raw_notices is missing");
  }
  SECTION("other columns") {
    run_on(path, "ALTER TABLE raw_tokens ADD COLUMN more");
    check_refused(path, "raw_tokens is not as this version defines it");
  }
}

TEST_CASE("TraceReader, absurd facts and rows are refused") {
  const TemporaryFolder folder;
  const auto path = folder / "t.db";
  record(path, {}, 20);
  SECTION("no run") {
    run_on(path, "DELETE FROM meta");
    check_refused(path, "holds no run");
  }
  SECTION("a missing fact") {
    run_on(path, "DELETE FROM meta WHERE key = 'window'");
    check_refused(path, "'window'");
  }
  SECTION("a fact of another type") {
    run_on(path, "UPDATE meta SET value = 'many' WHERE key = 'lag'");
    check_refused(path, "'lag' is 'many'");
  }
  SECTION("more heads than any model has") {
    run_on(path, "UPDATE meta SET value = 2147483647 WHERE key IN ('layers', 'kv_heads')");
    check_refused(path, "heads");
  }
  SECTION("a negative window") {
    run_on(path, "UPDATE meta SET value = -1 WHERE key = 'window'");
    check_refused(path, "window -1");
  }
  SECTION("rows that contradict each other are found when they are read") {
    const std::string damage[] = {
        "UPDATE gate_chunks SET count = 1000000000",
        "UPDATE gate_chunks SET first = 2000000000",
        "UPDATE gate_chunks SET marked = x'00'",
        "UPDATE gate_chunks SET layer = 99",
        "DELETE FROM gate_chunks WHERE layer = 1",
        "UPDATE occupancy_runs SET steps = 400",
        "UPDATE occupancy_runs SET live = x''",
        "DELETE FROM raw_tokens WHERE position = 7",
        "UPDATE event_log SET events = x'ff'",
        "UPDATE event_log SET events = x'03000080808080808080800f00'",
        "DELETE FROM span_kinds",
        "DELETE FROM raw_sequences",
    };
    const std::string whole = read_bytes(path);
    for (const std::string& sql : damage) {
      INFO(sql);
      write_bytes(path, whole);
      run_on(path, sql);
      const auto reader = TraceReader::open(path);
      REQUIRE(reader);
      Recording recording;
      const auto status = (*reader)->replay(recording);
      const auto stats = profiling::stats_json(path);
      const bool found = !status || !stats || !(*reader)->live_slots(0, 0, 10);
      CHECK(found);
      if (!status) CHECK_THAT(status.error().message, ContainsSubstring("damaged"));
    }
  }
}
