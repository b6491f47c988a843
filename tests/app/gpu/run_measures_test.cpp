// What is measured beside a run on a GPU: the copy rate, and what profiling costs.
#include "app/run_measures.hpp"

#include <catch2/catch_approx.hpp>
#include <nlohmann/json.hpp>

#include "app/bench/bench_report.hpp"
#include "app/bench/bench_run.hpp"
#include "app/run_report.hpp"
#include "engine/bench/gpu_ceiling.hpp"
#include "profiling/trace_tools.hpp"
#include "tests/app/gpu/emulated_run.hpp"

namespace {

using test::Collected;
using test::EmulatedRun;
using test::SmallDevice;

#define REQUIRE_CUPTI() \
  if (!test::has_cupti()) SKIP("built without CUPTI's headers")

double number(const std::optional<std::string>& text) {
  REQUIRE(text);
  return std::stod(*text);
}

}  // namespace

TEST_CASE("RunMeasures, a run on a GPU carries the copy rate measured before it, once per process") {
  const SmallDevice device;
  EmulatedRun run;
  run.options.profile = "off";
  Collected first;
  REQUIRE(run(first).summary);
  const double rate = number(first.parameter("copy_ceiling_gb_per_s"));
  CHECK(rate > 0);
  CHECK(rate == Catch::Approx(*engine::gpu_copy_bytes_per_second(0) * 1e-9).margin(0.051));
  Collected second;
  REQUIRE(run(second).summary);
  CHECK(second.parameter("copy_ceiling_gb_per_s") == first.parameter("copy_ceiling_gb_per_s"));
  // Whatever reads along knows it from the first step on.
  const auto is_first = [](const engine::Event& event) {
    return std::holds_alternative<engine::ParameterChanged>(event) ||
           std::holds_alternative<engine::StepFinished>(event);
  };
  const auto found = std::find_if(first.events.begin(), first.events.end(), is_first);
  CHECK(std::holds_alternative<engine::ParameterChanged>(*found));
}

TEST_CASE("RunMeasures, a run on the CPU carries neither, and says why the cost is missing") {
  const SmallDevice device;
  cuda_emulation::control().device_count = 0;
  EmulatedRun run;
  run.options.device.device = "auto";
  run.options.measure_cost = true;
  Collected events;
  REQUIRE(run(events).summary);
  CHECK_FALSE(events.parameter("copy_ceiling_gb_per_s"));
  CHECK_FALSE(events.parameter("profile_cost_percent"));
  CHECK(events.noticed("what profiling costs was not measured: the run was on the CPU"));
}

TEST_CASE("RunMeasures, --measure-cost leaves what profiling costs in the trace, before the run's end") {
  REQUIRE_CUPTI();
  const SmallDevice device;
  const test::RecordedKernels recorded;
  const support::TempFolder folder;
  EmulatedRun run;
  run.options.profile = "detailed";
  run.options.measure_cost = true;
  Collected events;
  const auto done = run(events, app::TraceTarget{folder / "t.db"});
  REQUIRE(done.summary);
  REQUIRE_FALSE(done.trace_error);
  REQUIRE(done.profile_cost_percent);
  CHECK(number(events.parameter("profile_cost_percent")) ==
        Catch::Approx(*done.profile_cost_percent).margin(0.051));
  const double off = number(events.parameter("profile_off_tokens_per_s"));
  const double detailed = number(events.parameter("profile_detailed_tokens_per_s"));
  CHECK(off > 0);
  CHECK(100 * (1 - detailed / off) ==
        Catch::Approx(*done.profile_cost_percent).margin(1));  // of rounded speeds
  CHECK(number(events.parameter("profile_light_tokens_per_s")) > 0);
  CHECK(std::holds_alternative<engine::RunFinished>(events.events.back()));
  CHECK(events.parameter("profile") == "detailed");
  const auto stats = nlohmann::json::parse(*profiling::stats_json(folder / "t.db"));
  CHECK(stats["profile"]["cost_percent"].is_number());
  CHECK(stats["profile"]["copy_ceiling_gb_per_s"].is_number());
}

TEST_CASE("RunMeasures, without --measure-cost nothing is decoded besides the run") {
  REQUIRE_CUPTI();
  const SmallDevice device;
  EmulatedRun run;
  Collected events;
  const auto done = run(events);
  CHECK_FALSE(done.profile_cost_percent);
  CHECK_FALSE(events.parameter("profile_cost_percent"));
  CHECK_FALSE(events.noticed("what profiling costs"));
}

TEST_CASE("RunMeasures, a GPU that fails while the cost is measured leaves the run whole, with the reason") {
  REQUIRE_CUPTI();
  const SmallDevice device;
  EmulatedRun run;
  run.options.measure_cost = true;
  // Breaks when the run is over.
  class BreaksDevice : public Collected {
   public:
    void on_event(engine::Event event) override {
      if (const auto* step = std::get_if<engine::StepFinished>(&event); step != nullptr && step->step == 3) {
        cuda_emulation::control().launches_until_failure = 0;
      }
      Collected::on_event(std::move(event));
    }
  } events;
  const auto done = run(events);
  REQUIRE(done.summary);
  CHECK_FALSE(done.profile_cost_percent);
  CHECK(events.noticed("what profiling costs was not measured: a kernel failed on the GPU"));
  CHECK(std::holds_alternative<engine::RunFinished>(events.events.back()));
}

TEST_CASE("Measuring the cost of profiling, is refused where nothing is profiled") {
  app::RunOptions options;
  options.measure_cost = true;
  options.device.device = "cpu";
  CHECK(app::session_options(options).error().message ==
        "--measure-cost: has a meaning where a GPU's kernels are timed, not with --device cpu");
  options.device.device = "auto";
  options.profile = "off";
  CHECK(app::session_options(options).error().message ==
        "--measure-cost: has a meaning where a GPU's kernels are timed, not with --profile off");
}

TEST_CASE("Run report, the cost of profiling is told where it was measured") {
  app::RunReport report;
  CHECK(nlohmann::json::parse(app::report_json(report))["profile_cost_percent"].is_null());
  const std::size_t lines = app::report_lines(report).size();
  report.profile_cost_percent = 3.25;
  CHECK(nlohmann::json::parse(app::report_json(report))["profile_cost_percent"] == 3.25);
  REQUIRE(app::report_lines(report).size() == lines + 1);
  CHECK(app::report_lines(report)[lines - 1].find("profiling costs 3.2 %") != std::string::npos);
}

TEST_CASE("Bench, the section profiling compares the modes on a GPU, and only where it is asked for") {
  app::BenchOptions options;
  options.model = "tiny";
  REQUIRE(app::resolve_sections(options));
  CHECK_FALSE(options.has(app::Section::profiling));
  options.only = {"profiling"};
  options.device.device = "cpu";
  CHECK(app::resolve_sections(options).error().message ==
        "--only profiling: times a GPU's kernels, cannot be used with --device cpu");
  REQUIRE_CUPTI();
  const SmallDevice device;
  const test::RecordedKernels recorded;
  options.sections.clear();
  options.device.device = "cuda";
  options.depths = {8};
  options.rounds = 1;
  REQUIRE(app::resolve_sections(options));
  const support::TalkingCheckpoint checkpoint;
  const auto model = engine::load_model(checkpoint.path());
  REQUIRE(model);
  engine::BackendOptions backend = *app::to_backend_options(options.device);
  backend.cache_bytes = std::int64_t{1} << 20;
  app::Progress progress(false);
  app::BenchRun run(options, *model, backend, progress, {});
  const auto status = run.run();
  if (!status) FAIL(status.error().message);
  const auto all = nlohmann::json::parse(app::bench_json(run.results()));
  REQUIRE(all["attribution"].size() == 2);
  CHECK(all["attribution"][0]["graph"] == true);
  CHECK(all["attribution"][1]["graph"] == false);
  for (const auto& point : all["attribution"]) {
    CHECK(point["steps"] >= profiling::kCostTokens + 2);  // two before the clock starts
    CHECK(point["kernels"] > 0);
    CHECK(point["attributed_fraction"] == 1);
    CHECK(point["untimed"] == 0);
    CHECK(point["least_kernels_per_step"] > 0);
  }
  CHECK(all["attribution"][1]["kernels"] > all["attribution"][0]["kernels"]);
  CHECK(app::bench_table(run.results()).find("detailed profile, no graph") != std::string::npos);
  const auto json = all["profiling"];
  CHECK(json["depth_tokens"] == 8);
  for (const char* mode : {"off", "light", "detailed"}) {
    CHECK(json[std::string(mode) + "_tokens_per_second"] > 0);
  }
  CHECK(json["light_cost_percent"].is_number());
  CHECK(app::bench_table(run.results()).find("profiling at 8 costs") != std::string::npos);
}

TEST_CASE("RunMeasures, a profile that records nothing has no cost of 0 %, but a reason") {
  REQUIRE_CUPTI();
  const SmallDevice device;  // and a CUPTI that delivers nothing
  EmulatedRun run;
  run.options.profile = "detailed";
  run.options.measure_cost = true;
  Collected events;
  REQUIRE(run(events).summary);
  CHECK_FALSE(events.parameter("profile_cost_percent"));
  CHECK(
      events.noticed("what profiling costs was not measured: light profiling recorded nothing of 30 steps"));
}
