// What a model is asked in an evaluation, and how its answer is judged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace app::eval {

enum class AnswerKind {
  digits,  // the expected digits stand in the answer as a whole number
  number,  // the answer's final number, by value
  math,    // the last \boxed{...}, or else the answer's final number or line, by its normalised form
  choice,  // a letter
  phrase   // every expected text stands in the answer, whatever the case
};

struct ExpectedAnswer {
  AnswerKind kind = AnswerKind::phrase;
  std::vector<std::string> texts;  // one, except for a phrase
};

struct Question {
  std::string task;
  std::int32_t context = 0;     // tokens that the prompt was built to fill; 0: as long as it is
  std::int32_t sample = 0;      // number within task and context
  std::optional<double> depth;  // where what is asked for stands in the prompt, 0 to 1
  std::string prompt;           // the user's turn
  ExpectedAnswer expected;
  std::int32_t max_tokens = 32;
};

// What an answer says, in the form that is compared: two answers that mean the same give the same text. Empty
// where it says nothing of the kind.
std::string stated_answer(AnswerKind kind, std::string_view answer);

bool is_correct(const ExpectedAnswer& expected, std::string_view answer);

// Of several answers, whether what most of them state is correct; of equally frequent ones, the first counts.
// A phrase has no form to compare: most answers must then hold it.
bool majority_is_correct(const ExpectedAnswer& expected, const std::vector<std::string>& answers);

}  // namespace app::eval
