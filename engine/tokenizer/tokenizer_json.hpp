// Reading tokenizer.json in one pass: the two long lists, vocabulary and merges, go straight into their own
// tables, everything else into a small JSON tree.
//
// The file is hostile: its nesting, the tree's size and with them time and memory are bounded.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/events/result.hpp"
#include "engine/tokenizer/bpe.hpp"

namespace engine {

struct TokenizerJson {
  nlohmann::json tree;  // without model.vocab and model.merges
  bool has_vocab = false;
  bool has_merges = false;
  std::vector<std::pair<std::string, std::int64_t>> vocab;
  std::vector<MergePair> merges;
};

Result<TokenizerJson> parse_tokenizer_json(std::string_view text, const std::string& file);

}  // namespace engine
