// What a trace keeps of a GPU, and traces from before it kept anything.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "profiling/trace_reader.hpp"
#include "profiling/trace_tools.hpp"
#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

constexpr std::int64_t kMs = 1'000'000;

std::string sql(const std::filesystem::path& path, const std::string& query) {
  std::ostringstream out;
  const auto status = profiling::run_sql(path, query, false, out);
  if (!status) FAIL(status.error().message);
  return out.str();
}

engine::Span gpu_span(std::int64_t start_ns, std::int64_t duration_ns, std::int16_t operation,
                      std::int16_t kernel, std::int64_t bytes) {
  engine::Span span{start_ns, start_ns + duration_ns, 3, 1, operation, kernel, 0, 7};
  span.bytes = bytes;
  return span;
}

// A run whose GPU tells of itself after its steps.
void record_gpu_run(const std::filesystem::path& path) {
  auto writer = profiling::TraceWriter::create(path, {});
  REQUIRE(writer);
  SyntheticRun run({});
  run.start(**writer);
  run.decode(**writer);
  profiling::TraceWriter& out = **writer;
  out.on_event(engine::ParameterChanged{0, "profile", "detailed"});
  out.on_event(engine::ParameterChanged{0, "copy_ceiling_gb_per_s", "4000"});
  out.on_event(engine::TrackNamed{0, engine::kWholeDevice, "NVIDIA Test"});
  out.on_event(engine::TrackNamed{0, 7, "decode"});
  out.on_event(engine::TrackNamed{-1, engine::kLaunchLane, "launches"});
  out.on_event(engine::KernelsNamed{{"gemv", "reduce"}});
  const auto gemv = static_cast<std::int16_t>(2), reduce = static_cast<std::int16_t>(3);
  engine::Span in_graph = gpu_span(50 * kMs, 1'000, 0, gemv, 2'000'000);
  in_graph.graph = 5;
  engine::Span launch = gpu_span(49 * kMs, 700, 0, gemv, 0);
  launch.device = -1;
  launch.stream = engine::kLaunchLane;
  out.on_event(engine::SpansRecorded{{in_graph, launch, gpu_span(50 * kMs + 900, 500, 0, reduce, 0),
                                      gpu_span(52 * kMs, 3'000, 0, gemv, 4'000'000)}});
  out.on_event(engine::CountersSampled{{{0, "power", "W", 10 * kMs, 300}, {0, "power", "W", 20 * kMs, 400}}});
  out.on_event(engine::RecordsLost{"untimed", 2, "without time stamps"});
  out.on_event(engine::RecordsLost{"untimed", 5, "without time stamps"});
  run.finish(**writer);
  const auto status = (*writer)->finish();
  if (!status) FAIL(status.error().message);
}

// The default model on a prompt of two words, recorded by the last program that wrote version 1.
const std::filesystem::path kVersion1 =
    std::filesystem::path(DMSCOPE_TESTS_DIR) / "profiling/data/version1.db";

}  // namespace

TEST_CASE("A trace, tells kernels with bytes and graph, and the bandwidth they reached") {
  const TemporaryFolder folder;
  record_gpu_run(folder / "t.db");
  CHECK(sql(folder / "t.db",
            "SELECT name, bytes, graph, end_ns - start_ns FROM kernels WHERE device = 0 "
            "ORDER BY start_ns") ==
        "name,bytes,graph,end_ns - start_ns\ngemv,2000000,5,1000\nreduce,,,500\ngemv,4000000,,3000\n");
  // 6 MB in 4 us is 1500 GB/s; the reduction's bytes are not known.
  CHECK(sql(folder / "t.db",
            "SELECT name, calls, bytes, gb_per_s, ceiling_share FROM kernel_speeds "
            "ORDER BY name") ==
        "name,calls,bytes,gb_per_s,ceiling_share\ngemv,2,6000000,1500.0,0.375\nreduce,1,,,\n");
  CHECK(sql(folder / "t.db", "SELECT * FROM counters WHERE value > 350") ==
        "device,track,unit,time_ns,value\n0,power,W,20000000,400.0\n");
  CHECK(sql(folder / "t.db", "SELECT name FROM tracks WHERE stream = 7") == "name\ndecode\n");
  CHECK(sql(folder / "t.db", "SELECT count, meaning FROM drops WHERE what = 'untimed'") ==
        "count,meaning\n5,without time stamps\n");
}

TEST_CASE("A trace, its statistics tell kernels, counters, losses and how it was profiled") {
  const TemporaryFolder folder;
  record_gpu_run(folder / "t.db");
  const auto text = profiling::stats_json(folder / "t.db");
  if (!text) FAIL(text.error().message);
  const json stats = json::parse(*text);
  REQUIRE(stats["kernels"].size() == 2);
  CHECK(stats["kernels"][0]["kernel"] == "gemv");
  CHECK(stats["kernels"][0]["calls"] == 2);
  CHECK(stats["kernels"][0]["gb_per_s"] == Approx(1500));
  CHECK(stats["kernels"][0]["ceiling_share"] == Approx(0.375));
  CHECK(stats["kernels"][1]["bytes"].is_null());
  REQUIRE(stats["counters"].size() == 1);
  CHECK(stats["counters"][0]["mean"] == Approx(350));
  CHECK(stats["profile"]["mode"] == "detailed");
  CHECK(stats["profile"]["copy_ceiling_gb_per_s"] == Approx(4000));
  CHECK(stats["profile"]["cost_percent"].is_null());
  CHECK(stats["dropped"]["untimed"] == 5);
  // The launch is no operation: 3 spans on the GPU beside those of the CPU.
  std::int64_t calls = 0;
  for (const json& operation : stats["operations"]) calls += operation["calls"].get<std::int64_t>();
  CHECK(sql(folder / "t.db", "SELECT count(*) FROM kernels") ==
        "count(*)\n" + std::to_string(calls + 1) + "\n");
  const auto lines = profiling::stats_text(folder / "t.db");
  REQUIRE(lines);
  CHECK_THAT(*lines, ContainsSubstring("1500 GB/s"));
}

TEST_CASE(
    "A trace, a kernel that waited for the one before it counts from there, in whatever order they came") {
  const TemporaryFolder folder;
  record_gpu_run(folder / "t.db");
  // As it ran, and what is left of it after the 1,000 ns of the one before.
  CHECK(sql(folder / "t.db", "SELECT end_ns - start_ns FROM kernels WHERE name = 'reduce'") ==
        "end_ns - start_ns\n500\n");
  CHECK(sql(folder / "t.db",
            "SELECT CAST(round(seconds * 1e9) AS INTEGER) AS ns FROM kernel_speeds ORDER BY name") ==
        "ns\n4000\n400\n");

  auto writer = profiling::TraceWriter::create(folder / "early.db", {});
  REQUIRE(writer);
  SyntheticRun run({});
  run.start(**writer);
  // Told late first; the third one ran inside the second; another stream waits for nobody.
  engine::Span other = gpu_span(0, 5'000, 0, 0, 0);
  other.stream = 8;
  (*writer)->on_event(
      engine::SpansRecorded{{gpu_span(1'000, 3'000, 0, 0, 8'000), gpu_span(0, 2'000, 0, 0, 8'000),
                             gpu_span(1'500, 1'000, 0, 0, 0), other}});
  run.finish(**writer);
  REQUIRE((*writer)->finish());
  const auto text = profiling::stats_json(folder / "early.db");
  if (!text) FAIL(text.error().message);
  const json stats = json::parse(*text);
  CHECK(stats["kernels"][0]["calls"] == 4);
  CHECK(stats["kernels"][0]["seconds"] == Approx(9e-6));
  CHECK(stats["kernels"][0]["gb_per_s"] == Approx(4));  // 16 kB in 4 us
  double seconds = 0;
  for (const json& operation : stats["operations"]) seconds += operation["seconds"].get<double>();
  const std::string cpu =
      sql(folder / "early.db", "SELECT sum(end_ns - start_ns) AS ns FROM kernels WHERE device < 0");
  CHECK(seconds == Approx(9e-6 + std::stod(cpu.substr(3)) * 1e-9).epsilon(1e-9));
}

TEST_CASE("export_perfetto, gives a GPU its streams, launches and counters") {
  const TemporaryFolder folder;
  record_gpu_run(folder / "t.db");
  REQUIRE(profiling::export_perfetto(folder / "t.db", folder / "t.json"));
  const json trace = json::parse(read_bytes(folder / "t.json"));
  std::set<std::string> names;
  std::map<double, json> on_gpu;  // by start
  int counters = 0;
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] == "M") names.insert(event["args"]["name"]);
    if (event["ph"] == "C" && event["pid"] == 2) ++counters;
    if (event["ph"] != "X" || event["pid"] != 2) continue;
    if (!event["name"].get<std::string>().starts_with("layer")) on_gpu[event["ts"]] = event;
  }
  CHECK(names.contains("GPU 0 (NVIDIA Test)"));
  CHECK(names.contains("stream 7 (decode)"));
  CHECK(names.contains("launches"));
  CHECK(counters == 2);
  REQUIRE(on_gpu.size() == 3);
  const json& first = on_gpu.begin()->second;
  CHECK(first["name"] == "gemv");
  CHECK(first["dur"] == Approx(0.9));  // the next one begins before its end
  CHECK(first["args"]["duration_ns"] == 1000);
  CHECK(first["args"]["graph"] == 5);
  CHECK(first["args"]["gb_per_s"] == Approx(2000));
}

TEST_CASE("A trace of schema version 1, opens and reads as one of today") {
  const TemporaryFolder folder;
  std::filesystem::copy_file(kVersion1, folder / "old.db");
  const std::string before = read_bytes(folder / "old.db");
  REQUIRE(sql(folder / "old.db", "SELECT value FROM meta WHERE key = 'schema_version'") == "value\n1\n");
  const auto reader = profiling::TraceReader::open(folder / "old.db");
  if (!reader) FAIL(reader.error().message);
  Recording recording;
  REQUIRE((*reader)->replay(recording));
  std::int64_t spans = 0;
  for (const auto& event : recording.events) {
    const auto* recorded = std::get_if<engine::SpansRecorded>(&event);
    if (recorded == nullptr) continue;
    spans += static_cast<std::int64_t>(recorded->spans.size());
    for (const engine::Span& span : recorded->spans) {
      REQUIRE(span.bytes == 0);
      REQUIRE(span.graph == -1);
    }
  }
  CHECK(spans > 0);
  CHECK_FALSE((*reader)->run().kernels.empty());
  CHECK(sql(folder / "old.db", "SELECT count(*), count(bytes), count(graph) FROM kernels") ==
        "count(*),count(bytes),count(graph)\n" + std::to_string(spans) + ",0,0\n");
  CHECK(sql(folder / "old.db", "SELECT count(*) FROM counters") == "count(*)\n0\n");
  CHECK(profiling::stats_json(folder / "old.db"));
  CHECK(profiling::export_perfetto(folder / "old.db", folder / "old.json"));
  CHECK(profiling::export_csv(folder / "old.db", folder / "csv"));
  const auto facts = profiling::describe_trace(folder / "old.db", true);
  REQUIRE(facts);
  CHECK(json::parse(*facts)["schema_version"] == 1);
  CHECK(read_bytes(folder / "old.db") == before);
}
