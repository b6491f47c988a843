#include "app/eval/question.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace app::eval {

namespace {

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

bool is_letter(char character) {
  return std::isalpha(static_cast<unsigned char>(character)) != 0;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char character) { return static_cast<char>(std::tolower(character)); });
  return result;
}

std::string without(std::string text, std::string_view part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
    text.erase(at, part.size());
  }
  return text;
}

std::string replaced(std::string text, std::string_view part, std::string_view by) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + by.size())) {
    text.replace(at, part.size(), by);
  }
  return text;
}

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The number that ends at or after `from`, with its sign, thousands and decimals: "-1,234.50".
std::optional<Range> next_number(std::string_view text, std::size_t from) {
  std::size_t begin = from;
  while (begin < text.size() && !is_digit(text[begin])) ++begin;
  if (begin == text.size()) return std::nullopt;
  std::size_t end = begin;
  const auto digit_at = [&](std::size_t at) { return at < text.size() && is_digit(text[at]); };
  while (digit_at(end) || ((text[end] == ',' || text[end] == '.') && digit_at(end + 1))) {
    ++end;
    if (end == text.size()) break;
  }
  const bool negative = begin > from && text[begin - 1] == '-' && (begin < 2 || !is_digit(text[begin - 2]));
  return Range{negative ? begin - 1 : begin, end};
}

// "1,234.50" as "1234.5", so that equal values are equal texts.
std::string canonical_number(std::string_view number) {
  std::string text = without(std::string(number), ",");
  const bool negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  if (text.find('.') != std::string::npos) {
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  const std::size_t zeros = text.find_first_not_of('0');
  text.erase(0, zeros == std::string::npos ? text.size() - 1 : zeros);
  if (text.starts_with('.')) text.insert(0, "0");
  return (negative && text != "0" ? "-" : "") + text;
}

// After "####" the first number, else the last one.
std::string final_number(std::string_view answer) {
  if (const std::size_t mark = answer.rfind("####"); mark != std::string_view::npos) {
    if (const auto number = next_number(answer, mark + 4)) {
      return canonical_number(answer.substr(number->begin, number->end - number->begin));
    }
  }
  std::string last;
  for (auto number = next_number(answer, 0); number; number = next_number(answer, number->end)) {
    last = canonical_number(answer.substr(number->begin, number->end - number->begin));
  }
  return last;
}

// What stands in the braces of the last \boxed{...}.
std::optional<std::string> last_boxed(std::string_view answer) {
  constexpr std::string_view kMark = "\\boxed{";
  const std::size_t mark = answer.rfind(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  const std::size_t begin = mark + kMark.size();
  int depth = 1;
  for (std::size_t at = begin; at < answer.size(); ++at) {
    if (answer[at] == '{') ++depth;
    if (answer[at] == '}' && --depth == 0) return std::string(answer.substr(begin, at - begin));
  }
  return std::nullopt;
}

// Typesetting taken off, so that what is left differs only where the mathematics does.
std::string normalised_math(std::string text) {
  for (const char* part : {"\\left", "\\right", "\\!", "\\,", "\\;", "\\$", "$", "\\%", "%", "^\\circ",
                           "^{\\circ}", "\\text", "\\mathrm", "\\mathbf", "\\displaystyle"}) {
    text = without(std::move(text), part);
  }
  text = replaced(std::move(text), "\\dfrac", "\\frac");
  text = replaced(std::move(text), "\\tfrac", "\\frac");
  std::erase_if(text, [](unsigned char character) { return std::isspace(character) != 0; });
  while (text.ends_with('.')) text.pop_back();
  const auto whole = next_number(text, 0);
  if (whole && whole->begin == 0 && whole->end == text.size()) return canonical_number(text);
  return text;
}

std::string stated_math(std::string_view answer) {
  if (auto boxed = last_boxed(answer)) return normalised_math(std::move(*boxed));
  return final_number(answer);
}

// "(C)", "C)", "C.", "C:" or a bare "C".
std::optional<char> letter_at(std::string_view text, std::size_t at) {
  const char letter = text[at];
  if (letter < 'A' || letter > 'J') return std::nullopt;
  if (at > 0 && (is_letter(text[at - 1]) || is_digit(text[at - 1]) || text[at - 1] == '\'')) {
    return std::nullopt;
  }
  if (at + 1 < text.size() && (is_letter(text[at + 1]) || is_digit(text[at + 1]) || text[at + 1] == '\'')) {
    return std::nullopt;
  }
  return letter;
}

std::optional<char> first_letter(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto letter = letter_at(text, at);
    // A sentence may begin with the article.
    const bool article =
        letter == 'A' && at + 2 < text.size() && text[at + 1] == ' ' && is_letter(text[at + 2]);
    if (letter && !article) return letter;
  }
  return std::nullopt;
}

// Where the answer says "answer", the letter after its last occurrence, else the first letter of all.
std::string stated_choice(std::string_view answer) {
  if (const auto boxed = last_boxed(answer)) {
    if (const auto letter = first_letter(*boxed)) return std::string(1, *letter);
  }
  const std::size_t mark = lower(answer).rfind("answer");
  for (const std::size_t from : {mark == std::string::npos ? 0 : mark, std::size_t{0}}) {
    if (const auto letter = first_letter(answer.substr(from))) return std::string(1, *letter);
  }
  return {};
}

bool holds_digits(std::string_view answer, std::string_view digits) {
  for (std::size_t at = answer.find(digits); at != std::string_view::npos; at = answer.find(digits, at + 1)) {
    const std::size_t end = at + digits.size();
    if ((at == 0 || !is_digit(answer[at - 1])) && (end == answer.size() || !is_digit(answer[end])))
      return true;
  }
  return false;
}

std::string expected_form(const ExpectedAnswer& expected) {
  const std::string& text = expected.texts.front();
  switch (expected.kind) {
    case AnswerKind::number:
      return final_number(text);
    case AnswerKind::math:
      return normalised_math(last_boxed(text).value_or(text));
    case AnswerKind::digits:
    case AnswerKind::choice:
    case AnswerKind::phrase:
      break;
  }
  return text;
}

}  // namespace

std::string stated_answer(AnswerKind kind, std::string_view answer) {
  switch (kind) {
    case AnswerKind::digits:
    case AnswerKind::number:
      return final_number(answer);
    case AnswerKind::math:
      return stated_math(answer);
    case AnswerKind::choice:
      return stated_choice(answer);
    case AnswerKind::phrase:
      break;
  }
  return {};
}

bool is_correct(const ExpectedAnswer& expected, std::string_view answer) {
  switch (expected.kind) {
    case AnswerKind::digits:
      return holds_digits(answer, expected.texts.front());
    case AnswerKind::phrase:
      return std::all_of(expected.texts.begin(), expected.texts.end(), [&](const std::string& text) {
        return lower(answer).find(lower(text)) != std::string::npos;
      });
    case AnswerKind::number:
    case AnswerKind::math:
    case AnswerKind::choice:
      break;
  }
  const std::string stated = stated_answer(expected.kind, answer);
  return !stated.empty() && stated == expected_form(expected);
}

bool majority_is_correct(const ExpectedAnswer& expected, const std::vector<std::string>& answers) {
  const auto right =
      static_cast<std::size_t>(std::count_if(answers.begin(), answers.end(), [&](const std::string& answer) {
        return is_correct(expected, answer);
      }));
  if (expected.kind == AnswerKind::phrase) return 2 * right > answers.size();
  std::map<std::string, std::size_t> votes;
  for (const std::string& answer : answers) ++votes[stated_answer(expected.kind, answer)];
  votes.erase("");
  const std::string* winner = nullptr;
  std::size_t most = 0;
  for (const std::string& answer : answers) {
    const auto vote = votes.find(stated_answer(expected.kind, answer));
    if (vote == votes.end() || vote->second <= most) continue;
    most = vote->second;
    winner = &answer;
  }
  return winner != nullptr && is_correct(expected, *winner);
}

}  // namespace app::eval
