#include "app/view/profile_facts.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/app/support/gpu_run.hpp"
#include "tests/app/view/span_run.hpp"

using namespace app::view;
using Profile = support::GpuRunOptions::Profile;

namespace {

std::shared_ptr<const RunSnapshot> gpu_run(const support::GpuRunOptions& options) {
  RunModel model;
  support::emit_gpu_run(model, options);
  return model.snapshot();
}

engine::RunStarted cuda_facts() {
  engine::RunStarted run = view_test::span_facts();
  run.backend = "cuda";
  return run;
}

}  // namespace

TEST_CASE("profile_facts, says how a GPU's kernels were timed, and what that cost") {
  const ProfileFacts facts = profile_facts(*gpu_run({}));
  CHECK(facts.on_gpu);
  CHECK(timer_text(facts, 3) == "CUPTI, detailed");
  CHECK(cost_text(facts) == "CUPTI costs 6.2\u2009%");
  CHECK(cost_about(facts).find("214.7\u2009tok/s without") != std::string::npos);
  CHECK(facts.copy_ceiling_gb_per_s == support::kMadeUpCeiling);
  CHECK(facts.fall_backs.empty());
}

TEST_CASE("profile_facts, a cost that was not measured is said to be so, with how to measure it") {
  const ProfileFacts facts = profile_facts(*gpu_run({.cost = false, .ceiling = false}));
  CHECK(cost_text(facts) == "cost not measured");
  CHECK(cost_about(facts).find("--measure-cost") != std::string::npos);
  CHECK_FALSE(facts.copy_ceiling_gb_per_s);
}

TEST_CASE("profile_facts, events in CUPTI's place say why, and cost nothing that is known") {
  const ProfileFacts facts = profile_facts(*gpu_run({.profile = Profile::events}));
  CHECK(timer_text(facts, 0) == "CUDA events");
  REQUIRE(facts.fall_backs.size() == 1);
  CHECK(facts.fall_backs[0].find("Nsight Systems") != std::string::npos);
  CHECK(cost_text(facts).empty());
}

TEST_CASE("profile_facts, a mode that changes in mid-run holds from its step on") {
  RunModel model;
  model.on_event(cuda_facts());
  model.on_event(engine::ParameterChanged{0, "profile", "detailed"});
  model.on_event(engine::ParameterChanged{812, "profile", "light"});
  model.on_event(engine::Notice{"detailed profiling ended at step 812: kernels arrive without time stamps"});
  const ProfileFacts facts = profile_facts(*model.snapshot());
  CHECK(facts.mode_at(811) == "detailed");
  CHECK(facts.mode_at(812) == "light");
  CHECK(mode_text(facts) == "detailed from step 0, light from step 812");
  CHECK(facts.fall_backs.size() == 1);
  CHECK(timer_text(facts, 900) == "CUPTI, light");
}

TEST_CASE("profile_facts, runs of the CPU and damaged numbers") {
  const auto cpu = view_test::span_run({{0, 10, 0, 0, 1, 0, -1, 0}});
  CHECK(timer_text(profile_facts(*cpu), 0) == "CPU timers");
  RunModel model;
  model.on_event(cuda_facts());
  for (const char* text : {"", "fast", "nan", "-3", "0", "12 GB/s"})
    model.on_event(engine::ParameterChanged{0, "copy_ceiling_gb_per_s", text});
  model.on_event(engine::ParameterChanged{0, "profile_cost_percent", "-1.5"});
  model.on_event(engine::ParameterChanged{0, "profile", "light"});
  const ProfileFacts facts = profile_facts(*model.snapshot());
  CHECK_FALSE(facts.copy_ceiling_gb_per_s);
  CHECK(cost_text(facts) == "CUPTI costs under 0.1\u2009%");  // noise may exceed the cost
}

TEST_CASE("why_no_timings, names the cause and what to do") {
  CHECK(why_no_timings(*gpu_run({.profile = Profile::off}), false) ==
        "Profiled with off: run with --profile light or --profile detailed to time kernels.");
  const auto cpu = view_test::span_run({});
  CHECK(why_no_timings(*cpu, false) == "This trace holds no timed operations: it was recorded without them.");
  CHECK(why_no_timings(*cpu, true) == "They come with the first step.");
  RunModel model;
  model.on_event(cuda_facts());
  model.on_event(engine::ParameterChanged{0, "profile", "off"});
  model.on_event(engine::Notice{"profiling is off: CUPTI refused"});
  CHECK(why_no_timings(*model.snapshot(), false) == "profiling is off: CUPTI refused.");
}

TEST_CASE("lost_records, adds up the newest total of each kind") {
  CHECK(lost_records(*gpu_run({})) == support::kMadeUpUnknown + 12);
  CHECK(lost_records(*gpu_run({.losses = false})) == 0);
}

TEST_CASE("why_no_bytes, tells the cases apart") {
  const auto run = gpu_run({});
  engine::Span span;
  span.device = 0;
  span.operation = 3;  // attention
  span.step = 0;
  CHECK(why_no_bytes(*run, span).find("many queries") != std::string::npos);
  span.step = run->step(run->step_count() - 1).step;
  CHECK(why_no_bytes(*run, span).find("first kernel") != std::string::npos);
  span.operation = 12;
  CHECK(why_no_bytes(*run, span) == "its operation is not known");
  span.device = -1;
  CHECK(why_no_bytes(*run, span).find("CPU") != std::string::npos);
}
