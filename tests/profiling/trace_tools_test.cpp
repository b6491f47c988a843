#include "profiling/trace_tools.hpp"

#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "profiling/trace_reader.hpp"
#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

std::string sql(const std::filesystem::path& path, const std::string& query, bool as_json = false) {
  std::ostringstream out;
  const auto status = profiling::run_sql(path, query, as_json, out);
  if (!status) FAIL(status.error().message);
  return out.str();
}

void check_query_refused(const std::filesystem::path& path, const std::string& query,
                         const std::string& reason) {
  INFO(query);
  std::ostringstream out;
  const auto status = profiling::run_sql(path, query, false, out);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == engine::ErrorCode::bad_input);
  CHECK_THAT(status.error().message, ContainsSubstring(reason));
}

// Sums over the events that statistics are checked against.
struct Sums : engine::EventSink {
  std::int64_t kv_reads = 0, judged = 0, marked = 0;
  std::int64_t decode_ns = 0;
  std::map<int, engine::OccupancyChanged> last;
  void on_event(engine::Event event) override {
    if (const auto* step = std::get_if<engine::StepFinished>(&event)) {
      kv_reads += step->kv_reads;
      if (step->phase == engine::Phase::decode) decode_ns += step->end_ns - step->start_ns;
    } else if (const auto* gates = std::get_if<engine::GatesDecided>(&event)) {
      judged += static_cast<std::int64_t>(gates->marked.size());
      for (const auto mark : gates->marked) marked += mark;
    } else if (const auto* occupancy = std::get_if<engine::OccupancyChanged>(&event)) {
      last[occupancy->sequence] = *occupancy;
    }
  }
};

}  // namespace

TEST_CASE("run_sql, CSV quotes what has to be quoted") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 3);
  CHECK(sql(folder / "t.db",
            "SELECT 1 AS a, 'x' AS \"b,c\", 'say \"hi\"' AS d, 'two\nlines' AS e, NULL AS f, x'00ff' AS g, "
            "1.0 AS h, 0.1 AS i") ==
        "a,\"b,c\",d,e,f,g,h,i\n1,x,\"say \"\"hi\"\"\",\"two\nlines\",,00ff,1.0,0.1\n");
  CHECK(sql(folder / "t.db", "SELECT * FROM gates WHERE layer = 99") ==
        "sequence,layer,kv_head,position,logit\n");
}

TEST_CASE("run_sql, JSON is an array of objects") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 3);
  const json rows = json::parse(
      sql(folder / "t.db", "SELECT key, value FROM meta WHERE key IN ('window', 'prompt')", true));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] ==
        json{{"key", "prompt"}, {"value", "What is \"delayed eviction\",\nand why? \xe2\x9c\x93"}});
  CHECK(rows[1] == json{{"key", "window"}, {"value", 8}});
  CHECK(json::parse(sql(folder / "t.db", "SELECT 1 WHERE 0", true)) == json::array());
}

TEST_CASE("run_sql, reads and nothing else") {
  const TemporaryFolder folder;
  const auto path = folder / "t.db";
  record(path, {}, 3);
  const std::string before = read_bytes(path);
  check_query_refused(path, "DELETE FROM raw_tokens", "can only be read");
  check_query_refused(path, "CREATE TEMP TABLE x(y)", "can only be read");
  check_query_refused(path, "ATTACH '" + (folder / "other.db").string() + "' AS other", "can only be read");
  check_query_refused(path, "VACUUM INTO '" + (folder / "other.db").string() + "'", "can only be read");
  check_query_refused(path, "PRAGMA user_version = 9", "can only be read");
  check_query_refused(path, "PRAGMA journal_mode = DELETE", "can only be read");
  check_query_refused(path, "SELECT load_extension('x')", "");
  check_query_refused(path, "COMMIT", "can only be read");
  check_query_refused(path, "SELECT 1; SELECT 2", "one SQL statement");
  check_query_refused(path, "SELECT 1; nonsense", "one SQL statement");
  check_query_refused(path, "", "empty");
  check_query_refused(path, " -- nothing\n;", "empty");
  check_query_refused(path, "SELECT a FROM nowhere", "no such table: nowhere");
  check_query_refused(path, "SELEC 1", "near \"SELEC\": syntax error");
  check_query_refused(path, "SELECT abs(-9223372036854775807 - 1)", "integer overflow");
  CHECK(read_bytes(path) == before);
  CHECK_FALSE(std::filesystem::exists(folder / "other.db"));
  CHECK(sql(path, "SELECT 7 AS n; -- a comment\n") == "n\n7\n");
}

TEST_CASE("run_sql, a query that takes long can be stopped") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 3);
  std::stop_source stop;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  std::ostringstream out;
  const auto status = profiling::run_sql(
      folder / "t.db",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", false, out,
      stop.get_token());
  later.join();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == engine::ErrorCode::interrupted);
}

TEST_CASE("stats, are the sums over the events") {
  const TemporaryFolder folder;
  const auto path = folder / "t.db";
  const SyntheticOptions options{.chains = 2};
  auto writer = profiling::TraceWriter::create(path, {});
  REQUIRE(writer);
  Sums sums;
  Tee tee(**writer, sums);
  emit_run(tee, options, 50);
  REQUIRE((*writer)->finish());

  const auto text = profiling::stats_json(path);
  REQUIRE(text);
  const json stats = json::parse(*text);
  CHECK(stats["tokens"]["prompt"] == 40);
  CHECK(stats["tokens"]["generated"] == 101);  // 50 of each chain and a last one that was never processed
  CHECK(stats["tokens"]["sequences"][1]["fork_position"] == 40);
  CHECK(stats["tokens"]["sequences"][1]["processed"] == 90);
  CHECK(stats["prefill"]["tokens"] == 40);
  CHECK(stats["prefill"]["steps"] == 3);
  CHECK(stats["decode"]["tokens"] == 100);
  CHECK(stats["decode"]["seconds"].get<double>() == Approx(static_cast<double>(sums.decode_ns) * 1e-9));
  CHECK(stats["decode"]["tokens_per_s"].get<double>() == Approx(100e9 / static_cast<double>(sums.decode_ns)));
  CHECK(stats["kv_reads"] == sums.kv_reads);
  CHECK(stats["marked_fraction"].get<double>() ==
        Approx(static_cast<double>(sums.marked) / static_cast<double>(sums.judged)));

  std::int64_t live = 0, allocated = 0, head_live = 0;
  for (const auto& [sequence, occupancy] : sums.last) {
    for (const auto slots : occupancy.live) live += slots;
    for (const auto slots : occupancy.allocated) allocated += slots;
    head_live += occupancy.live[5];
  }
  const json& end = stats["cache"]["end"];
  CHECK(end["live_slots"] == live);
  CHECK(end["dense_slots"] == 2 * 90 * 6);
  CHECK(end["cr"].get<double>() == Approx(2.0 * 90 * 6 / static_cast<double>(live)));
  CHECK(end["logical_bytes"] == live * 512);
  CHECK(end["allocated_bytes"] == allocated * 512);
  CHECK(end["dense_bytes"] == 2 * 90 * 6 * 512);
  CHECK(stats["peak_slots"] == live);
  const json& head = stats["layers"][1]["heads"][2];
  CHECK(head["end"]["live_slots"] == head_live);
  CHECK(head["end"]["cr"].get<double>() == Approx(2.0 * 90 / static_cast<double>(head_live)));
  CHECK(stats["layers"][1]["end"]["dense_slots"] == 2 * 90 * 3);

  CHECK(stats["operations"].size() == 2);
  CHECK(stats["operations"][0]["calls"].get<int>() + stats["operations"][1]["calls"].get<int>() == 3 * 53);
  CHECK(stats["dropped"]["spans"] == 0);
  CHECK(stats["profiler"]["cpu_ns"].get<std::int64_t>() > 0);
  CHECK(stats["profiler"]["on_event_ns"].get<std::int64_t>() > 0);
  CHECK(stats["run"]["policy"] == "dms");
  CHECK(stats["run"]["seed"] == 18'000'000'000'000'000'000u);

  const auto lines = profiling::stats_text(path);
  REQUIRE(lines);
  CHECK_THAT(*lines, ContainsSubstring("40 prompt, 101 generated, 2 sequences; ended: length"));
}

TEST_CASE("stats, of a recording that did not end say so") {
  const TemporaryFolder folder;
  auto writer = profiling::TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  SyntheticRun run({});
  run.start(**writer);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto text = profiling::stats_json(folder / "t.db");
  REQUIRE(text);
  const json stats = json::parse(*text);
  CHECK(stats["run"]["finished"] == false);
  CHECK(stats["run"]["end_reason"].is_null());
  CHECK(stats["profiler"].is_null());
}

TEST_CASE("describe_trace, tells the facts of the run") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 5);
  const auto text = profiling::describe_trace(folder / "t.db", false);
  REQUIRE(text);
  CHECK_THAT(*text, ContainsSubstring("policy     dms, window 8"));
  const auto facts = profiling::describe_trace(folder / "t.db", true);
  REQUIRE(facts);
  const json parsed = json::parse(*facts);
  CHECK(parsed["tokens"] == 46);
  CHECK(parsed["finished"] == true);
  CHECK_FALSE(profiling::describe_trace(folder / "none.db", true));
}

TEST_CASE("export_perfetto, writes trace events that keep nanoseconds") {
  const TemporaryFolder folder;
  Recording recording;
  auto writer = profiling::TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  Tee tee(**writer, recording);
  emit_run(tee, {.spans_per_step = 7}, 10);
  REQUIRE((*writer)->finish());
  REQUIRE(profiling::export_perfetto(folder / "t.db", folder / "t.json"));
  const json trace = json::parse(read_bytes(folder / "t.json"));
  std::int64_t spans = 0, steps = 0, layers = 0;
  std::set<std::string> counters;
  for (const json& event : trace["traceEvents"]) {
    const std::string name = event["name"];
    if (event["ph"] == "C") counters.insert(name);
    if (event["ph"] != "X") continue;
    if (name.starts_with("layer ")) {
      ++layers;
    } else if (name.starts_with("prefill ") || name.starts_with("decode ")) {
      ++steps;
    } else {
      ++spans;
    }
  }
  CHECK(steps == 13);
  CHECK(spans == 13 * 7);
  CHECK(layers > 13);
  CHECK(counters == std::set<std::string>{"allocated slots", "compression ratio", "live slots", "tokens/s"});
  for (const auto& event : recording.events) {
    const auto* step = std::get_if<engine::StepFinished>(&event);
    if (step == nullptr || step->step != 12) continue;
    const std::string expected = fmt::format("\"ts\":{}.{:03}", step->start_ns / 1000, step->start_ns % 1000);
    CHECK_THAT(read_bytes(folder / "t.json"), ContainsSubstring(expected));
  }
}

TEST_CASE("export_perfetto, a place that cannot be written is refused") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 5);
  CHECK_FALSE(profiling::export_perfetto(folder / "t.db", folder / "none" / "t.json"));
  const std::string before = read_bytes(folder / "t.db");
  CHECK_FALSE(profiling::export_perfetto(folder / "t.db", folder / "t.db"));
  CHECK(read_bytes(folder / "t.db") == before);
  CHECK_FALSE(profiling::export_perfetto(folder / "t.db", "/dev/full"));
}

TEST_CASE("export_csv, writes one file per table into a new folder") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 5);
  REQUIRE(profiling::export_csv(folder / "t.db", folder / "out" / "csv"));
  for (const char* table :
       {"meta", "sequences", "tokens", "steps", "kv_reads", "gates", "decisions", "evictions", "occupancy",
        "kernels", "parameters", "quality", "notices", "drops"}) {
    CHECK(std::filesystem::exists(folder / "out" / "csv" / (std::string(table) + ".csv")));
  }
  const std::string gates = read_bytes(folder / "out" / "csv" / "gates.csv");
  CHECK(std::count(gates.begin(), gates.end(), '\n') == 1 + 44 * 6);
  CHECK_THAT(gates, ContainsSubstring("sequence,layer,kv_head,position,logit\n"));

  const auto again = profiling::export_csv(folder / "t.db", folder / "out" / "csv");
  REQUIRE_FALSE(again);
  CHECK_THAT(again.error().message, ContainsSubstring("not empty"));
  write_bytes(folder / "file", "x");
  CHECK_FALSE(profiling::export_csv(folder / "t.db", folder / "file"));
}
