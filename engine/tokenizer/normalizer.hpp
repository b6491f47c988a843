// Rewrites text before it is cut into words: tokenizer.json's "normalizer".
//
// Immutable after reading; any number of threads may apply it.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/events/result.hpp"
#include "engine/tokenizer/json_fields.hpp"
#include "engine/tokenizer/regex.hpp"

namespace engine {

class Normalizer {
 public:
  // A null node is no normalizer.
  static Result<Normalizer> read(const JsonNode& node);

  bool changes_nothing() const { return steps_.empty(); }
  Result<std::string> apply(std::string_view text, RegexDeadline deadline) const;

 private:
  struct Nfc {};
  struct Prepend {
    std::string text;  // put before a text that is not empty
  };
  struct Replace {
    std::string literal;  // what to look for, if not a regular expression
    Regex regex;
    std::string content;
  };
  using Step = std::variant<Nfc, Prepend, Replace>;

  static Result<std::string> run(const Nfc& step, std::string text, RegexDeadline deadline);
  static Result<std::string> run(const Prepend& step, std::string text, RegexDeadline deadline);
  static Result<std::string> run(const Replace& step, std::string text, RegexDeadline deadline);
  Status append(const JsonNode& node, int depth);
  static Result<Replace> read_replace(const JsonNode& node);

  std::vector<Step> steps_;
  std::string where_;
};

// `text` in Unicode's normalization form C.
std::string compose_nfc(std::string_view text);

}  // namespace engine
