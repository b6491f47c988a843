#include "app/view/quality_series.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "app/view/run_model.hpp"
#include "app/view/run_result.hpp"
#include "tests/app/view/text_run.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;

namespace {

void measure(RunModel& model, std::int32_t position, double value, const char* name = "kl",
             engine::SequenceId sequence = 0) {
  model.on_event(engine::QualityMeasured{sequence, position, name, value});
}

QualitySeries series_of(const RunModel& model, engine::SequenceId sequence = 0) {
  QualitySeries series("kl");
  const auto run = model.snapshot();
  series.update(*run, *run->sequence(sequence));
  return series;
}

}  // namespace

TEST_CASE("QualitySeries, is one measure of one sequence by position") {
  RunModel model;
  view_test::start_text(model);
  view_test::add_tokens(model, std::vector<std::string>(10, "x"));
  measure(model, 3, 0.3);
  measure(model, 1, 0.1);
  measure(model, 2, 1, "top1");
  measure(model, 5, 0.5);
  const QualitySeries series = series_of(model);
  REQUIRE(series.values().size() == 3);
  CHECK(series.values()[0].position == 1);
  CHECK(series.values()[2].position == 5);
  CHECK(series.values()[2].running == Catch::Approx(0.3));
  CHECK(*series.mean() == Catch::Approx(0.3));
  CHECK(series.greatest()->position == 5);
  CHECK(series.nearest(4)->position == 5);
  CHECK(series.nearest(-7)->position == 1);
  CHECK(series.nearest(100)->position == 5);
}

TEST_CASE("QualitySeries, the running mean is of the last 64, also after late values") {
  RunModel model;
  view_test::start_text(model);
  view_test::add_tokens(model, std::vector<std::string>(300, "x"));
  for (std::int32_t i = 0; i < 300; ++i) {
    if (i != 150) measure(model, i, i * 0.01);
  }
  measure(model, 150, 9);
  const QualitySeries series = series_of(model);
  REQUIRE(series.values().size() == 300);
  for (std::size_t i = 0; i < 300; ++i) {
    double sum = 0;
    const std::size_t first = i >= 63 ? i - 63 : 0;
    for (std::size_t k = first; k <= i; ++k) sum += series.values()[k].value;
    REQUIRE(series.values()[i].running == Catch::Approx(sum / static_cast<double>(i + 1 - first)));
  }
  CHECK(series.greatest()->position == 150);
}

TEST_CASE("QualitySeries, grows with the run and starts anew with another") {
  RunModel model;
  view_test::start_text(model);
  view_test::add_tokens(model, {"a", "b", "c"});
  QualitySeries series("kl");
  measure(model, 0, 1);
  auto run = model.snapshot();
  series.update(*run, run->sequences()[0]);
  measure(model, 1, 2);
  run = model.snapshot();
  series.update(*run, run->sequences()[0]);
  CHECK(series.values().size() == 2);
  CHECK(series.greatest()->value == 2);
  view_test::start_text(model);
  run = model.snapshot();
  series.update(*run, run->sequences()[0]);
  CHECK(series.values().empty());
  CHECK(series.greatest() == nullptr);
  CHECK(series.nearest(0) == nullptr);
  CHECK_FALSE(series.mean());
}

TEST_CASE("QualitySeries, values that are no numbers are left out") {
  RunModel model;
  view_test::start_text(model);
  view_test::add_tokens(model, {"a", "b"});
  measure(model, 0, std::nan(""));
  measure(model, 1, INFINITY);
  CHECK(series_of(model).values().empty());
  CHECK_FALSE(mean_measure(*model.snapshot(), "kl"));
}

TEST_CASE("QualitySeries, a fork has its parent's values at what it inherited") {
  RunModel model;
  profiling_test::emit_run(model, {.prompt_tokens = 20, .prefill_chunk = 20, .chains = 2, .window = 4}, 5);
  const auto run = model.snapshot();
  REQUIRE(run->sequences().size() == 2);
  const SequenceView& fork = run->sequences()[1];
  measure(model, 4, 0.3);                         // the prompt, shared
  measure(model, fork.fork_position() + 1, 0.7);  // the parent's own
  measure(model, fork.fork_position() + 2, 0.9, "kl", fork.id());
  const QualitySeries series = series_of(model, fork.id());
  for (const MeasuredValue& value : series.values()) CHECK(value.value != 0.7);
  CHECK(series.nearest(4)->value == 0.3);
  CHECK(series.nearest(fork.fork_position() + 2)->value == 0.9);
}
