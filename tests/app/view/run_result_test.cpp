#include "app/view/run_result.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "app/view/run_model.hpp"
#include "tests/app/view/text_run.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;

TEST_CASE("run_result, is the run's end: both ratios and the means of its measures") {
  RunModel model;
  profiling_test::emit_run(model, {.prompt_tokens = 100, .prefill_chunk = 25, .window = 20}, 50);
  model.on_event(engine::QualityMeasured{0, 10, "kl", 0.2});
  model.on_event(engine::QualityMeasured{0, 11, "kl", 0.4});
  model.on_event(engine::QualityMeasured{0, 11, "top1", 1});
  CacheView view;
  view.update(model.snapshot(), 0);
  const RunResult result = run_result(view);
  CHECK(result.run_id == model.snapshot()->run_id());
  CHECK(result.positions == 150);
  CHECK(result.window == 20);
  CHECK(result.ratio == Catch::Approx(view.size(149).logical_ratio()));
  REQUIRE(result.allocated_ratio);
  CHECK(*result.allocated_ratio <= result.ratio);
  CHECK(*result.kl == Catch::Approx((0.125 + 0.2 + 0.4) / 3));  // the made-up run has a value of its own
  CHECK(*result.top1 == 1);
}

TEST_CASE("run_result, what was not measured is unknown, not zero") {
  RunModel model;
  view_test::start_text(model);
  view_test::add_tokens(model, {"a", "b"});
  CacheView view;
  view.update(model.snapshot(), 0);
  CHECK(run_result(view).ratio == 1);
  CHECK_FALSE(run_result(view).allocated_ratio);
  CHECK_FALSE(run_result(view).kl);
  CHECK_FALSE(run_result(view).top1);
}

TEST_CASE("settings_text, says what matters for the policy") {
  RunResult result;
  result.policy = "dms";
  result.threshold = -0.5;
  result.window = 64;
  CHECK(settings_text(result) == "θ \u22120.50, w 64");
  result.policy = "knorm";
  CHECK(settings_text(result) == "knorm θ \u22120.50, w 64");
  result.policy = "window";
  result.sinks = 4;
  CHECK(settings_text(result) == "window 64, 4 sinks");
  result.policy = "dense";
  CHECK(settings_text(result) == "dense");
}
