#include "app/view/preview.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>

#include "app/view/run_model.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;

namespace {

std::shared_ptr<const RunSnapshot> run() {
  RunModel model;
  profiling_test::emit_run(model, {.prompt_tokens = 1500, .prefill_chunk = 256, .window = 30}, 60);
  return model.snapshot();
}

}  // namespace

TEST_CASE("retention_at, is live over dense slots per head") {
  CacheView view;
  view.update(run(), 0, {.threshold = 1.5});
  const Retention retention = retention_at(view, 1400);
  REQUIRE(retention.kept.size() == 6);
  double sum = 0;
  for (std::int32_t head = 0; head < 6; ++head) {
    CHECK(retention.kept[static_cast<std::size_t>(head)] == Catch::Approx(view.live(head, 1400) / 1401.0));
    sum += retention.kept[static_cast<std::size_t>(head)];
  }
  CHECK(retention.ratio == Catch::Approx(6 / sum));
}

TEST_CASE("ratio_over_positions, ends with the newest position") {
  CacheView view;
  view.update(run(), 0);
  const auto curve = ratio_over_positions(view, 100);
  REQUIRE(curve.size() == 100);
  CHECK(curve.back().position == 1559);
  for (const RatioPoint& point : curve) {
    REQUIRE(point.ratio == Catch::Approx(view.size(point.position).logical_ratio()));
  }
  CHECK(ratio_over_positions(view, 1'000'000).size() == 1560);
}

TEST_CASE("threshold_for_ratio, the preview at its threshold has the ratio asked for") {
  const auto s = run();
  const double target = GENERATE(1.0, 1.05, 1.5, 2.0, 4.0, 10.0, 40.0);
  const auto threshold = threshold_for_ratio(s->sequences()[0], 6, 30, 1500, target);
  REQUIRE(threshold);
  CacheView view;
  view.update(s, 0, {.threshold = *threshold});
  const CacheSize size = view.size(1500);
  // One slot of all heads is as near as a threshold comes: logits are all different here.
  CHECK(std::abs(static_cast<double>(size.live_slots) - static_cast<double>(size.dense_slots) / target) <=
        1.0);
}

TEST_CASE("threshold_for_ratio, what the window does not allow is refused with what it does") {
  const auto s = run();
  for (const double target : {0.5, 60.0, std::nan(""), -1.0}) {
    const auto threshold = threshold_for_ratio(s->sequences()[0], 6, 30, 1500, target);
    REQUIRE_FALSE(threshold);
    CHECK(threshold.error().message.find("1.00 to 48.42") != std::string::npos);
  }
  CHECK(threshold_for_ratio(s->sequences()[0], 6, 30, 5, 1.0));
  CHECK_FALSE(threshold_for_ratio(s->sequences()[0], 6, 30, 5, 1.5));
}

TEST_CASE("logit_histogram, counts every logit once") {
  const auto s = run();
  const LogitHistogram histogram = logit_histogram(s->sequences()[0], 6, 64);
  std::int64_t sum = 0;
  for (const std::int64_t count : histogram.counts) sum += count;
  CHECK(histogram.counts.size() == 64);
  CHECK(sum == histogram.total);
  CHECK(histogram.total == 6 * 1559);
  CHECK(histogram.low < -5);
  CHECK(histogram.high > 7);
  std::int64_t below = 0;
  const std::int32_t bin = 20;
  for (std::size_t i = 0; i < bin; ++i) below += histogram.counts[i];
  const float edge = histogram.low + bin * histogram.bin_width();
  std::int64_t expected = 0;
  for (std::int32_t head = 0; head < 6; ++head) {
    for (std::int32_t t = 0; t < 1559; ++t) expected += s->sequences()[0].logit(head, t) < edge ? 1 : 0;
  }
  CHECK(std::abs(below - expected) <= 2);  // logits within rounding of the edge
}

TEST_CASE("logit_histogram, of equal or missing logits has a range") {
  RunModel model;
  engine::RunStarted facts;
  facts.shape.layers = facts.shape.kv_heads = 1;
  model.on_event(facts);
  model.on_event(engine::SequenceStarted{});
  for (std::int32_t i = 0; i < 3; ++i) model.on_event(engine::TokenAdded{0, i, 0, "", {}, 0});
  CHECK(logit_histogram(model.snapshot()->sequences()[0], 1, 8).total == 0);
  model.on_event(engine::GatesDecided{0, 0, 3, 0, {2, std::nanf(""), 2}, {0, 0, 0}});
  const LogitHistogram histogram = logit_histogram(model.snapshot()->sequences()[0], 1, 8);
  CHECK(histogram.total == 2);
  CHECK(histogram.without_logit == 1);
  CHECK(histogram.low < 2);
  CHECK(histogram.high > 2);
}
