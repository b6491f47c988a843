#include "app/eval/question_file.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <set>

#include "tests/support/temp_folder.hpp"

using app::eval::AnswerKind;
using app::eval::parse_question;
using app::eval::Question;

namespace {

Question parsed(const std::string& line) {
  auto question = parse_question(line, "set.jsonl: line 1", 0, {});
  if (!question) FAIL(question.error().message);
  return *question;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("parse_question, GSM8K's answer is the number after its mark") {
  const Question question = parsed(R"({"question": "How many?", "answer": "24 + 48\n#### 72"})");
  CHECK(holds(question.prompt, "How many?"));
  CHECK(question.expected.kind == AnswerKind::number);
  CHECK(is_correct(question.expected, "72"));
}

TEST_CASE("parse_question, MATH and AIME ask for a boxed answer") {
  for (const char* line : {R"({"problem": "Find x.", "solution": "so \\boxed{204}", "answer": "204"})",
                           R"({"ID": "2024-I-1", "Problem": "Find x.", "Solution": "...", "Answer": 204})",
                           R"({"question": "Find x.", "answer": "204"})",
                           R"({"problem": "Find x.", "solution": "so \\boxed{204}"})"}) {
    CAPTURE(line);
    const Question question = parsed(line);
    CHECK(holds(question.prompt, "Find x."));
    CHECK(holds(question.prompt, "\\boxed"));
    CHECK(question.expected.kind == AnswerKind::math);
    CHECK(is_correct(question.expected, "\\boxed{204}"));
    CHECK(!is_correct(question.expected, "\\boxed{203}"));
  }
}

TEST_CASE("parse_question, MMLU's choices get letters") {
  const Question question =
      parsed(R"({"question": "Which?", "subject": "s", "choices": ["one", "two", "three"], "answer": 1})");
  CHECK(holds(question.prompt, "B. two"));
  CHECK(is_correct(question.expected, "B"));
  CHECK(is_correct(
      parsed(R"({"question": "Which?", "options": ["x", "y", "z"], "answer": "C", "answer_index": 2})")
          .expected,
      "The answer is C."));
}

TEST_CASE("parse_question, GPQA's choices are shuffled, and the right one is known") {
  const std::string line =
      R"({"Question": "Which?", "Correct Answer": "right", "Incorrect Answer 1": "w1",
          "Incorrect Answer 2": "w2", "Incorrect Answer 3": "w3"})";
  std::set<std::string> letters;
  for (std::int32_t sample = 0; sample < 20; ++sample) {
    auto question = parse_question(line, "x", sample, {});
    REQUIRE(question);
    const std::string letter = question->expected.texts.front();
    letters.insert(letter);
    CHECK(holds(question->prompt, letter + ". right"));
    CHECK(parse_question(line, "x", sample, {})->prompt == question->prompt);
  }
  CHECK(letters.size() == 4);
}

TEST_CASE("parse_question, RULER wants all parts of an answer, LongBench one of its forms") {
  CHECK(parsed(R"({"index": 0, "input": "text", "outputs": ["12", "34"], "length": 9})")
            .expected.texts.size() == 2);
  const Question question = parsed(R"({"context": "long", "input": "who?", "answers": ["Ann", "Anna"]})");
  CHECK(question.prompt == "long\n\nwho?");
  CHECK(question.expected.texts == std::vector<std::string>{"Ann"});
}

TEST_CASE("parse_question, refuses what it cannot ask or judge, with the place") {
  const auto [line, reason] = GENERATE(table<std::string, std::string>({
      {"no json", "expected a JSON object"},
      {"[1]", "expected a JSON object"},
      {R"({"text": "x"})", "expected a \"question\""},
      {R"({"question": "x"})", "\"answer\""},
      {R"({"question": 7, "answer": "x"})", "its text is empty"},
      {R"({"question": "x", "choices": ["a"], "answer": 0})", "expected 2 to 10 choices"},
      {R"({"question": "x", "choices": ["a", "b"], "answer": 2})", "the index or the letter"},
      {R"({"question": "x", "choices": ["a", "b"], "answer": "?"})", "the index or the letter"},
      {R"({"question": "x", "choices": ["a", "b"], "answer": -1})", "the index or the letter"},
      {R"({"Question": "x", "Correct Answer": "a"})", "\"incorrect answer 1\""},
      {R"({"input": "x", "outputs": []})", "at least one answer"},
  }));
  CAPTURE(line);
  const auto question = parse_question(line, "set.jsonl: line 3", 0, {});
  REQUIRE(!question);
  CHECK(question.error().code == engine::ErrorCode::bad_input);
  CHECK(question.error().message.starts_with("set.jsonl: line 3: "));
  CHECK(holds(question.error().message, reason));
}

TEST_CASE("read_question_file, takes its name for the task and skips empty lines") {
  const support::TempFolder folder;
  const std::string line = R"({"question": "q", "answer": "#### 1"})";
  support::write_file(folder / "gsm8k.jsonl", line + "\n\n  \r\n" + line + "\n" + line);
  const auto all = app::eval::read_question_file(folder / "gsm8k.jsonl", {});
  REQUIRE(all);
  REQUIRE(all->size() == 3);
  CHECK((*all)[2].task == "gsm8k");
  CHECK((*all)[2].sample == 2);
  CHECK(app::eval::read_question_file(folder / "gsm8k.jsonl", {.limit = 2})->size() == 2);
}

TEST_CASE("read_question_file, names the line that is wrong, and an empty file") {
  const support::TempFolder folder;
  support::write_file(folder / "a.jsonl", "{\"question\": \"q\", \"answer\": \"1\"}\n{}\n");
  support::write_file(folder / "b.jsonl", "\n");
  CHECK(holds(app::eval::read_question_file(folder / "a.jsonl", {}).error().message, "a.jsonl: line 2: "));
  CHECK(holds(app::eval::read_question_file(folder / "b.jsonl", {}).error().message, "it has none"));
  CHECK(holds(app::eval::read_question_file(folder / "c.jsonl", {}).error().message, "cannot open"));
}
