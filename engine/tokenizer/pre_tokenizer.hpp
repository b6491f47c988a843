// Cuts normalized text into the words that BPE works on: tokenizer.json's "pre_tokenizer".
//
// Immutable after reading; any number of threads may apply it.
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "engine/events/result.hpp"
#include "engine/tokenizer/json_fields.hpp"
#include "engine/tokenizer/pieces.hpp"
#include "engine/tokenizer/regex.hpp"

namespace engine {

// What becomes of the matches of a pattern.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

struct SplitStage {
  Regex regex;
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;  // what lies between matches counts as the match
};

struct DigitsStage {
  bool individual = false;
};

// Spells bytes in GPT-2's alphabet, after cutting by GPT-2's expression where use_regex is set.
struct ByteLevelStage {
  bool add_prefix_space = true;
  std::optional<Regex> regex;
};

// SentencePiece's view of spaces: each becomes a visible character, one more is put in front.
struct MetaspaceStage {
  enum class Prepend { always, first, never };
  std::string replacement;
  Prepend prepend = Prepend::always;
  bool split = true;
};

class PreTokenizer {
 public:
  // A null node is no pre-tokenizer.
  static Result<PreTokenizer> read(const JsonNode& node);

  Result<PieceList> apply(PieceList list) const;

 private:
  using Stage = std::variant<SplitStage, DigitsStage, ByteLevelStage, MetaspaceStage>;
  Status append(const JsonNode& node, int depth);

  std::vector<Stage> stages_;
  std::string where_;
};

// Shared with the decoder of the same name.
Result<MetaspaceStage> read_metaspace(const JsonNode& node);

// A pattern object: {"Regex": "..."} or {"String": "..."}.
Result<Regex> read_pattern(const JsonNode& node);

}  // namespace engine
