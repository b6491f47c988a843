#include "app/eval/question.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using app::eval::AnswerKind;
using app::eval::ExpectedAnswer;
using app::eval::is_correct;
using app::eval::majority_is_correct;
using app::eval::stated_answer;

TEST_CASE("is_correct, digits stand in the answer as a whole number") {
  const ExpectedAnswer expected{AnswerKind::digits, {"58316"}};
  CHECK(is_correct(expected, "The code is 58316."));
  CHECK(is_correct(expected, "58316"));
  CHECK(is_correct(expected, "583160? No: 58316"));
  CHECK(!is_correct(expected, "The code is 583160."));
  CHECK(!is_correct(expected, "158316"));
  CHECK(!is_correct(expected, ""));
}

TEST_CASE("stated_answer, of a number is the last one, or the one after ####") {
  CHECK(stated_answer(AnswerKind::number, "5 and then 7") == "7");
  CHECK(stated_answer(AnswerKind::number, "48/2 = 24\n#### 72\nas 3 said") == "72");
  CHECK(stated_answer(AnswerKind::number, "It costs $1,234.50.") == "1234.5");
  CHECK(stated_answer(AnswerKind::number, "x = -3") == "-3");
  CHECK(stated_answer(AnswerKind::number, "from 5-3") == "3");
  CHECK(stated_answer(AnswerKind::number, "007.0") == "7");
  CHECK(stated_answer(AnswerKind::number, "0.50") == "0.5");
  CHECK(stated_answer(AnswerKind::number, "-0") == "0");
  CHECK(stated_answer(AnswerKind::number, "none").empty());
}

TEST_CASE("is_correct, a number counts by its value, GSM8K's solution as well as a bare one") {
  CHECK(is_correct({AnswerKind::number, {"She sold 48/2 = <<48/2=24>>24.\n#### 1,072"}}, "So it is 1072."));
  CHECK(is_correct({AnswerKind::number, {"#### 18"}}, "#### 18.00"));
  CHECK(!is_correct({AnswerKind::number, {"#### 18"}}, "18 is not it, 19 is"));
}

TEST_CASE("is_correct, mathematics is compared without its typesetting") {
  const auto [expected, answer, same] = GENERATE(table<std::string, std::string, bool>({
      {"\\frac{1}{2}", "We get \\boxed{\\dfrac{1}{2}}.", true},
      {"\\left( 3, \\frac{\\pi}{2} \\right)", "\\boxed{(3,\\tfrac{\\pi}{2})}", true},
      {"204", "The answer is \\boxed{204}", true},
      {"204", "First \\boxed{7}, finally \\boxed{204.}", true},
      {"204", "I think it is 204", true},
      {"x=5", "\\boxed{x = 5}", true},
      {"10\\%", "\\boxed{10}", true},
      {"204", "\\boxed{205}", false},
      {"\\frac{1}{2}", "\\boxed{\\frac{2}{1}}", false},
      {"204", "I do not know \\boxed{", false},
  }));
  CAPTURE(expected, answer);
  CHECK(is_correct({AnswerKind::math, {expected}}, answer) == same);
}

TEST_CASE("stated_answer, of a choice is the letter that is named as the answer") {
  CHECK(stated_answer(AnswerKind::choice, "The answer is (C).") == "C");
  CHECK(stated_answer(AnswerKind::choice, "A is wrong, B too. Answer: D") == "D");
  CHECK(stated_answer(AnswerKind::choice, "B") == "B");
  CHECK(stated_answer(AnswerKind::choice, "B. Paris") == "B");
  CHECK(stated_answer(AnswerKind::choice, "A capital is asked for: C.") == "C");
  CHECK(stated_answer(AnswerKind::choice, "\\boxed{A}") == "A");
  CHECK(stated_answer(AnswerKind::choice, "nothing of the kind").empty());
}

TEST_CASE("is_correct, a phrase holds every part, whatever the case") {
  const ExpectedAnswer expected{AnswerKind::phrase, {"Lisbon", "oslo"}};
  CHECK(is_correct(expected, "OSLO and lisbon"));
  CHECK(!is_correct(expected, "Oslo alone"));
}

TEST_CASE("majority_is_correct, what most answers state counts, not the first") {
  const ExpectedAnswer expected{AnswerKind::number, {"12"}};
  CHECK(majority_is_correct(expected, {"7", "it is 12", "12.0"}));
  CHECK(!majority_is_correct(expected, {"12", "7", "7"}));
  CHECK(majority_is_correct(expected, {"12", "7"}));  // equally many: the first
  CHECK(!majority_is_correct(expected, {"7", "12"}));
  CHECK(majority_is_correct(expected, {"no idea", "none", "12"}));
  CHECK(!majority_is_correct(expected, {"", ""}));
}

TEST_CASE("majority_is_correct, of phrases more than half must hold it") {
  const ExpectedAnswer expected{AnswerKind::phrase, {"oslo"}};
  CHECK(majority_is_correct(expected, {"Oslo", "Rome", "it is Oslo"}));
  CHECK(!majority_is_correct(expected, {"Oslo", "Rome"}));
}
