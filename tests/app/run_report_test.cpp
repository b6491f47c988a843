#include "app/run_report.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

namespace {

app::RunReport report() {
  app::RunReport report;
  report.run.model_name = "tiny";
  report.run.policy = "dms";
  report.run.window = 16;
  report.run.slot_bytes = 256;
  report.summary.prompt_tokens = 100;
  report.summary.prefill_seconds = 0.5;
  report.summary.decode_tokens = 30;
  report.summary.decode_seconds = 2;
  report.summary.dense_slots = 400;
  report.summary.live_slots = 100;
  report.summary.allocated_slots = 128;
  report.summary.kv_reads = 12345;
  report.summary.texts = {"an answer"};
  report.summary.ids = {std::vector<engine::TokenId>(30)};
  report.trace = "run.db";
  report.trace_bytes = 2048;
  return report;
}

}  // namespace

TEST_CASE("Run report, ratio and bytes follow from slots") {
  CHECK(report().compression_ratio() == 4.0);
  CHECK(report().live_bytes() == 25600);
  CHECK(report().allocated_bytes() == 32768);
  CHECK(report().dense_bytes() == 102400);
  CHECK(app::RunReport{}.compression_ratio() == 1.0);
}

TEST_CASE("Run report, JSON has units in its keys and holds names that are not UTF-8") {
  app::RunReport bad_name = report();
  bad_name.trace = "run\xff.db";
  const auto json = nlohmann::json::parse(app::report_json(bad_name));
  CHECK(json["prefill_tokens_per_second"] == 200.0);
  CHECK(json["decode_tokens_per_second"] == 14.5);  // the first of the 30 came from prefill
  CHECK(json["compression_ratio"] == 4.0);
  CHECK(json["live_bytes"] == 25600);
  CHECK(json["kv_reads_slots"] == 12345);
  CHECK(json["texts"][0] == "an answer");
  CHECK(json["trace"] == "run\xef\xbf\xbd.db");
}

TEST_CASE("Run report, byte counts are readable") {
  CHECK(app::bytes_text(999) == "999 B");
  CHECK(app::bytes_text(1500) == "1.5 kB");
  CHECK(app::bytes_text(269'000'000) == "269 MB");
}
