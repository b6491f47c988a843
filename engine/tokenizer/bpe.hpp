// Byte-pair encoding of one word, as Hugging Face's BPE model does it.
//
// A word's characters are looked up in the vocabulary, then the adjacent pair of the lowest rank is merged
// again and again (leftmost first), in O(n log n). Immutable after building, so any number of threads may
// encode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "engine/tokenizer/flat_map.hpp"
#include "engine/tokenizer/vocabulary.hpp"

namespace engine {

struct BpeOptions {
  std::optional<std::string> unk_token;
  std::string continuing_subword_prefix;
  std::string end_of_word_suffix;
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;
};

using MergePair = std::pair<std::string, std::string>;

class BpeModel {
 public:
  // `merges` from the lowest rank up.
  static Result<BpeModel> build(Vocabulary vocabulary, const std::vector<MergePair>& merges,
                                BpeOptions options, const std::string& file);

  // Appends the ids of one word. An error only if an unknown character needs an unk_token the vocabulary
  // lacks.
  Status encode_word(std::string_view word, std::vector<TokenId>& ids) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  struct Merge {
    std::uint32_t rank = 0;
    TokenId merged = 0;
  };
  struct Symbol;
  struct Candidate;

  const Merge* merge_of(TokenId left, TokenId right) const;
  bool append_fallback_bytes(std::string_view character, std::vector<Symbol>& symbols) const;
  Status split_characters(std::string_view word, std::vector<Symbol>& symbols) const;
  void merge_all(std::vector<Symbol>& symbols) const;

  Vocabulary vocabulary_;
  FlatMap<Merge> merges_;
  BpeOptions options_;
  std::string file_;
  std::optional<TokenId> unk_id_;
  std::vector<std::optional<TokenId>> byte_ids_;  // of "<0x00>" to "<0xFF>"
};

}  // namespace engine
