#include "app/eval/summary.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

using app::eval::SampleResult;
using app::eval::summarise;
using Catch::Approx;

namespace {

SampleResult answer(const std::string& setting, std::int32_t sample, bool correct) {
  SampleResult result;
  result.key = {"needle", 2048, sample, setting};
  result.policy = setting == "dense" ? "dense" : "dms";
  result.asked = static_cast<std::uint64_t>(sample);
  result.depth = (sample + 0.5) / 4;
  result.cost = {1000, setting == "dense" ? 1000 : 200 + 100 * sample, 1000, 5000};
  result.answer = app::eval::AnswerScore{correct, correct ? 2 : 0, 3, 30, ""};
  return result;
}

SampleResult text(const std::string& setting, std::int32_t sample, double nll) {
  SampleResult result = answer(setting, sample, false);
  result.key.task = "text";
  result.answer.reset();
  result.text = app::eval::TextScore{100, nll, setting == "dense" ? 0.0 : 5.0, 90};
  return result;
}

}  // namespace

TEST_CASE("share_of, has Wilson's interval") {
  const auto share = app::eval::share_of(18, 20);
  CHECK(share.value == Approx(0.9));
  CHECK(share.low == Approx(0.6990).epsilon(1e-3));
  CHECK(share.high == Approx(0.9721).epsilon(1e-3));
  CHECK(app::eval::share_of(0, 10).low == 0);
  CHECK(app::eval::share_of(10, 10).high == Approx(1));
  CHECK(app::eval::share_of(10, 10).low < 0.75);
}

TEST_CASE("summarise, counts answers, pairs them with dense and bins them by depth") {
  const auto rows = summarise({answer("dense", 0, true), answer("dms", 0, true), answer("dense", 1, true),
                               answer("dms", 1, false), answer("dense", 2, false), answer("dms", 2, true),
                               answer("dms", 3, false)});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].setting == "dense");
  CHECK(rows[1].samples == 4);
  CHECK(rows[1].ratio == Approx(4000.0 / (200 + 300 + 400 + 500)));
  CHECK(rows[1].allocated_ratio == 1);
  CHECK(rows[1].peak_slots == Approx(350));
  const auto& answers = *rows[1].answers;
  CHECK(answers.accuracy.value == 0.5);
  CHECK(answers.paired == 3);
  CHECK(answers.better == 1);
  CHECK(answers.worse == 1);
  CHECK(answers.chain_accuracy == Approx(4.0 / 12));
  CHECK(answers.any_chain == 0.5);
  REQUIRE(answers.by_depth.size() == 4);  // of five fifths, one has no sample
  CHECK(answers.by_depth[0].accuracy == 1);
  CHECK(answers.by_depth[1].accuracy == 0);
}

TEST_CASE("summarise, pools a text's predictions and compares with dense on the same stretches") {
  const auto rows =
      summarise({text("dense", 0, 200), text("dms", 0, 210), text("dense", 1, 300), text("dms", 1, 310)});
  REQUIRE(rows[1].text);
  CHECK(rows[1].text->perplexity == Approx(std::exp(520.0 / 200)));
  CHECK(*rows[1].text->dense_perplexity == Approx(std::exp(500.0 / 200)));
  CHECK(rows[1].text->kl == Approx(10.0 / 200));
  CHECK(rows[1].text->top1 == 0.9);
  const auto alone = summarise({text("dense", 0, 200), text("dms", 0, 210), text("dms", 1, 310)});
  CHECK(!alone[1].text->dense_perplexity);  // a stretch that dense has not seen
}

TEST_CASE("to_csv, has a line per row, quotes settings and leaves empty what does not apply") {
  auto rows = summarise({answer("dms, CR 4", 0, true), text("dms, CR 4", 0, 200)});
  const std::string csv = to_csv(rows);
  CHECK(csv.starts_with("task,context,setting,policy,window,threshold,target_cr,samples,"));
  CHECK(csv.find("\nneedle,2048,\"dms, CR 4\",dms,") != std::string::npos);
  CHECK(csv.ends_with(",,0.05,0.9\n"));  // no dense perplexity to compare with
  const auto json = to_json(rows);
  CHECK(json[0]["accuracy"] == 1.0);
  CHECK(!json[1].contains("accuracy"));
}
