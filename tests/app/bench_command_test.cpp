// What the bench measures on a tiny model, and the policy that evicts a chosen fraction.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "app/bench/bench_report.hpp"
#include "app/bench/bench_run.hpp"
#include "engine/bench/first_token.hpp"
#include "engine/bench/shape_model.hpp"
#include "engine/bench/synthetic_policy.hpp"
#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

class TinyModel {
 public:
  TinyModel() {
    support::make_checkpoint({}).write(folder_.path());
    model_ = *engine::load_model(folder_.path());
  }
  const std::shared_ptr<const engine::Model>& model() const { return model_; }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  support::TempFolder folder_;
  std::shared_ptr<const engine::Model> model_;
};

std::unique_ptr<engine::SpeedBench> bench_of(const TinyModel& tiny, std::unique_ptr<engine::Policy> policy) {
  engine::BackendOptions options;
  options.threads = 1;
  auto bench = engine::SpeedBench::create(tiny.model(), std::move(policy), options);
  REQUIRE(bench);
  return std::move(*bench);
}

app::BenchOptions small_options() {
  app::BenchOptions options;
  options.model = "tiny";
  options.device.device = "cpu";
  options.depths = {0, 40};
  options.chains = {1, 2};
  options.prefill = {32};
  options.rounds = 2;
  options.seconds = 0.01;
  options.device.threads = 1;
  return options;
}

}  // namespace

TEST_CASE("Synthetic policy, evicts the fraction asked for and keeps the window") {
  const TinyModel tiny;
  const auto bench = bench_of(tiny, engine::make_synthetic_policy(0.5, 10));
  REQUIRE(bench->prepare(200, {}));
  const auto sample = bench->decode(200, 1, 1, 60, {});
  REQUIRE(sample);
  // Two warm steps and one measured: 203 tokens, 11 of them in the window, half of the 192 others gone.
  constexpr std::int64_t kHeads = 4;
  CHECK(sample->dense_slots == kHeads * 203);
  CHECK(sample->live_slots == kHeads * (11 + 96));
  CHECK(sample->kv_reads == sample->live_slots);
}

TEST_CASE("Speed bench, every sample starts at the same depth") {
  const TinyModel tiny;
  auto policy = engine::make_dense_policy(*tiny.model());
  REQUIRE(policy);
  const auto bench = bench_of(tiny, std::move(*policy));
  REQUIRE(bench->prepare(64, {}));
  for (int i = 0; i < 3; ++i) {
    const auto sample = bench->decode(64, 3, 4, 60, {});
    REQUIRE(sample);
    CHECK(sample->steps == 4);
    CHECK(sample->tokens == 12);
    CHECK(sample->dense_slots == 3 * 4 * (64 + 2 + 4));
  }
}

TEST_CASE("Speed bench, a stop request ends a measurement") {
  const TinyModel tiny;
  const auto bench = bench_of(tiny, engine::make_synthetic_policy(0, 10));
  std::stop_source stop;
  stop.request_stop();
  const auto sample = bench->prefill(64, stop.get_token());
  REQUIRE_FALSE(sample);
  CHECK(sample.error().code == engine::ErrorCode::interrupted);
}

TEST_CASE("Weight bytes per step, an embedding that is not the head is not read") {
  const support::TempFolder tied;
  const support::TempFolder untied;
  support::make_checkpoint({.tied = true}).write(tied.path());
  support::make_checkpoint({.tied = false}).write(untied.path());
  const auto a = engine::load_model(tied.path());
  const auto b = engine::load_model(untied.path());
  REQUIRE((a && b));
  CHECK(engine::weight_bytes_per_step(**a) == (*a)->weight_bytes);
  CHECK(engine::weight_bytes_per_step(**b) == engine::weight_bytes_per_step(**a));
}

TEST_CASE("First token, the parts add up to the whole") {
  const TinyModel tiny;
  const auto sample = engine::measure_first_token(tiny.path(), {}, 20);
  REQUIRE(sample);
  CHECK(sample->prompt_tokens == 20);
  CHECK(sample->tokenizer_seconds == 0);
  CHECK(sample->model_seconds + sample->backend_seconds + sample->prefill_seconds ==
        Catch::Approx(sample->total_seconds));
}

TEST_CASE("Bench, every section fills its part of the report") {
  const TinyModel tiny;
  app::BenchOptions options = small_options();
  options.only = {"memory", "decode", "evicted", "chains", "prefill", "first-token", "recording"};
  REQUIRE(app::resolve_sections(options));
  app::Progress progress(false);
  app::BenchRun run(options, tiny.model(), *app::to_backend_options(options.device), progress, {});
  REQUIRE(run.run());
  const auto json = nlohmann::json::parse(app::bench_json(run.results()));
  CHECK(json["threads"] == 1);
  CHECK(json["memory_read_bytes_per_second"]["samples"].size() == 2);
  // Depths 0 and 40, 40 with half evicted, and two chains; one chain at depth 0 is measured already.
  REQUIRE(json["decode"].size() == 4);
  for (const auto& point : json["decode"]) {
    CHECK(point["tokens_per_second"]["median"] > 0);
    CHECK(point["share_of_ceiling"]["samples"].size() == 2);
  }
  CHECK(json["decode"][2]["evicted_fraction"] == 0.5);
  CHECK(json["decode"][2]["compression_ratio"] > 1.0);
  CHECK(json["decode"][3]["chains"] == 2);
  CHECK(json["prefill"][0]["tokens"] == 32);
  CHECK(json["first_token"]["seconds"]["median"] > 0);
  CHECK(json["recording"]["cost_fraction"]["samples"].size() == 2);
  CHECK(json["memory"]["cache_bytes"] > 0);
  CHECK(json["trace"].is_null());
  CHECK(app::bench_table(run.results()).find("decode at 40, 50 % evicted") != std::string::npos);
}

TEST_CASE("Bench, an interrupted run reports what it has") {
  const TinyModel tiny;
  app::BenchOptions options = small_options();
  options.only = {"memory", "prefill"};
  REQUIRE(app::resolve_sections(options));
  std::stop_source stop;
  app::Progress progress(false);
  app::BenchRun run(options, tiny.model(), *app::to_backend_options(options.device), progress,
                    stop.get_token());
  stop.request_stop();
  const auto status = run.run();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == engine::ErrorCode::interrupted);
  CHECK(nlohmann::json::parse(app::bench_json(run.results()))["prefill"][0]["tokens_per_second"].is_null());
}

TEST_CASE("Bench, an unknown section and depths beyond the model are refused") {
  const TinyModel tiny;
  app::BenchOptions options = small_options();
  options.only = {"speed"};
  CHECK(app::resolve_sections(options).error().message == "--only: unknown section 'speed', see --help");
  options.only = {};
  options.depths = {512};
  CHECK(app::check_positions(options, *tiny.model()).error().message ==
        "--depths: 512 leaves no room to decode in max_position_embeddings 512");
  options.depths = {0};
  options.prefill = {513};
  CHECK(app::check_positions(options, *tiny.model()).error().message ==
        "--prefill: 513 exceeds max_position_embeddings 512");
}

TEST_CASE("Series, median, least and greatest") {
  app::Series series;
  CHECK(app::to_json(series).is_null());
  for (const double value : {4.0, 1.0, 3.0, 2.0}) series.add(value);
  CHECK(series.median() == 2.5);
  CHECK(series.low() == 1);
  CHECK(series.high() == 4);
  CHECK(app::to_text(series, 1) == "2.5 (1.0 to 4.0)");
}

TEST_CASE("bench, a point of the grid is measured dense and evicted, with what its bytes allow") {
  const TinyModel tiny;
  app::BenchOptions options = small_options();
  options.only = {"grid"};
  options.sections = {app::Section::grid};
  options.grid = {{2, 40}};
  options.evicted = 0.75;
  options.window = 4;
  engine::BackendOptions backend;
  backend.threads = 1;
  app::Progress progress(false);
  app::BenchRun run(options, tiny.model(), backend, progress, {});
  REQUIRE(run.run());
  const auto ups = run.results().speed_ups();
  REQUIRE(ups.size() == 1);
  CHECK(ups.front().chains == 2);
  CHECK(ups.front().depth == 40);
  CHECK(ups.front().measured > 0);
  CHECK(ups.front().roofline > 1);
  const auto json = nlohmann::json::parse(app::bench_json(run.results()));
  CHECK(json["decode"].size() == 2);
  CHECK(json["speed_ups"][0]["depth_tokens"] == 40);
}

TEST_CASE("bench, a shape has the released model's size, and an unknown one is refused by name") {
  const auto llama = engine::make_shape_model("llama-3.2-1b");
  const auto qwen = engine::make_shape_model("qwen3-8b");
  REQUIRE(llama);
  REQUIRE(qwen);
  CHECK((*llama)->parameter_count == 1'235'814'400);
  CHECK((*qwen)->parameter_count == 8'190'735'360);
  CHECK(engine::weight_bytes_per_step(**llama) == 2 * (*llama)->parameter_count);
  CHECK(engine::weight_bytes_per_step(**qwen) == 2 * ((*qwen)->parameter_count - 151936 * 4096));
  const auto unknown = engine::make_shape_model("qwen3-9b");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.find("qwen3-9b") != std::string::npos);
}

TEST_CASE("Bench, an error late in a run keeps what was measured before, with the error beside it") {
  const TinyModel tiny;
  app::BenchOptions options = small_options();
  options.sections = {app::Section::decode, app::Section::prefill};
  options.prefill = {tiny.model()->config.max_positions + 1};
  engine::BackendOptions backend;
  backend.threads = 1;
  app::Progress progress(false);
  app::BenchRun run(options, tiny.model(), backend, progress, {});
  const auto status = run.run();
  REQUIRE_FALSE(status);
  run.results().error = status.error().message;
  CHECK(run.results().measured_anything());
  const auto json = nlohmann::json::parse(app::bench_json(run.results()));
  CHECK(json["error"] == status.error().message);
  CHECK(json["decode"][0]["tokens_per_second"]["samples"].size() == 1);
  CHECK(app::bench_table(run.results()).find("ended by an error") != std::string::npos);
}

TEST_CASE("Bench, nothing was measured before it began") {
  const TinyModel tiny;
  const app::BenchOptions options = small_options();
  app::Progress progress(false);
  app::BenchRun run(options, tiny.model(), {}, progress, {});
  CHECK_FALSE(run.results().measured_anything());
}
