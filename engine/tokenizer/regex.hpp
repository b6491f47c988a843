// Regular expressions of tokenizer files, with the meaning they have in Hugging Face `tokenizers`
// (Oniguruma's Ruby syntax over Unicode), run by PCRE2.
//
// Patterns come from hostile files: nesting, length, backtracking and time are bounded, and running into a
// bound is an error. Immutable after compile(); any number of threads may search.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/result.hpp"

namespace engine {

struct TextSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// When searching one text with all patterns of a file together must have ended, in CPU time of the calling
// thread: a busy machine is no reason to refuse a text.
using RegexDeadline = std::chrono::nanoseconds;
RegexDeadline regex_deadline(std::size_t text_bytes);

class Regex {
 public:
  // `where` names file and key in errors.
  static Result<Regex> compile(std::string_view pattern, const std::string& where);
  // Matches the text itself.
  static Result<Regex> literal(std::string_view text, const std::string& where);

  // The working memory of one thread's searches with one expression.
  class Matcher {
   public:
    Matcher(const Regex& regex, RegexDeadline deadline);
    ~Matcher();
    Matcher(const Matcher&) = delete;
    Matcher& operator=(const Matcher&) = delete;

    // All matches in order, none overlapping; an empty match never touches the end of the one before it.
    // The spans are valid until the next call.
    Result<std::span<const TextSpan>> find_all(std::string_view text);

   private:
    Status next_match(std::string_view text, std::size_t start, std::optional<TextSpan>& match);

    struct State;
    std::unique_ptr<State> state_;
    const Regex& regex_;
    std::vector<TextSpan> spans_;
  };

 private:
  static Result<Regex> compile_translated(const std::string& pattern, std::string_view original,
                                          const std::string& where);

  struct Code;
  std::shared_ptr<const Code> code_;
  std::string where_;
};

// Rewrites a pattern from Oniguruma's Ruby syntax to PCRE2's where the two differ; an error names a construct
// that has no counterpart.
Result<std::string> translate_regex(std::string_view pattern, const std::string& where);

}  // namespace engine
