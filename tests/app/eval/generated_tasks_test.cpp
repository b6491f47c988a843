#include "app/eval/generated_tasks.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>

using app::eval::generate;
using app::eval::GeneratedRequest;
using app::eval::Question;

namespace {

// A token a word, and ten of a template.
engine::Result<std::int32_t> count_words(const std::string& text) {
  std::int32_t words = 10;
  bool inside = false;
  for (const char character : text) {
    const bool space = character == ' ' || character == '\n';
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return words;
}

Question made(const std::string& task, std::int32_t context, std::int32_t sample, std::uint64_t seed = 0) {
  auto question = generate({task, context, sample, seed}, count_words);
  if (!question) FAIL(question.error().message);
  return *question;
}

double place_of(const Question& question, const std::string& text) {
  return static_cast<double>(question.prompt.find(text)) / static_cast<double>(question.prompt.size());
}

}  // namespace

TEST_CASE("generate, fills the context and leaves room for the answer") {
  for (const std::string& task : app::eval::generated_tasks()) {
    for (const std::int32_t context : {256, 1000, 4096}) {
      CAPTURE(task, context);
      const Question question = made(task, context, 3);
      const std::int32_t tokens = *count_words(question.prompt);
      CHECK(tokens + question.max_tokens <= context);
      CHECK(tokens + question.max_tokens > context - 30);  // less than a sentence is missing
      CHECK(question.context == context);
      CHECK(question.sample == 3);
    }
  }
}

TEST_CASE("generate, is the same for the same seed and another one for another") {
  for (const std::string& task : app::eval::generated_tasks()) {
    CAPTURE(task);
    CHECK(made(task, 500, 1).prompt == made(task, 500, 1).prompt);
    CHECK(made(task, 500, 1).prompt != made(task, 500, 2).prompt);
    CHECK(made(task, 500, 1).prompt != made(task, 500, 1, 7).prompt);
  }
}

TEST_CASE("generate, what is asked for stands at the depth it tells, and samples spread over the depths") {
  for (const std::string& task : {std::string("passkey"), std::string("needle"), std::string("recall")}) {
    std::set<int> fifths;
    for (std::int32_t sample = 0; sample < 15; ++sample) {
      const Question question = made(task, 3000, sample);
      CAPTURE(task, sample, *question.depth);
      const double place = place_of(question, question.expected.texts.front());
      CHECK(std::abs(place - *question.depth) < 0.03);
      fifths.insert(static_cast<int>(*question.depth * 5));
    }
    CHECK(fifths.size() == 5);
  }
}

TEST_CASE("generate, a recall question has eight facts and asks for one of them") {
  const Question question = made("recall", 1000, 0);
  std::size_t facts = 0;
  for (std::size_t at = question.prompt.find("The secret number of"); at != std::string::npos;
       at = question.prompt.find("The secret number of", at + 1)) {
    ++facts;
  }
  CHECK(facts == 8);
  const std::size_t asked = question.prompt.rfind("secret number of ") + 17;
  const std::string city = question.prompt.substr(asked, question.prompt.find('?', asked) - asked);
  const std::string fact = "The secret number of " + city + " is " + question.expected.texts.front() + ".";
  CHECK(question.prompt.find(fact) != std::string::npos);
}

TEST_CASE("generate, an arithmetic answer is the sum that is asked for") {
  for (std::int32_t sample = 0; sample < 10; ++sample) {
    const Question question = made("arithmetic", 300, sample);
    int a = 0, b = 0;
    const std::size_t asked = question.prompt.find("What is ");
    REQUIRE(std::sscanf(question.prompt.c_str() + asked, "What is %d + %d?", &a, &b) == 2);
    CHECK(question.expected.texts.front() == std::to_string(a + b));
  }
}

TEST_CASE("generate, refuses a context that the question alone exceeds") {
  const auto question = generate({"recall", 64, 0, 0}, count_words);
  REQUIRE(!question);
  CHECK(question.error().message.starts_with("--context 64: a recall question alone takes "));
}
