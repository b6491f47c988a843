// Tokens found in the text before anything else looks at it: tokenizer.json's "added_tokens".
//
// Those with normalized=false are looked for in the text as given, the others in the normalized text between
// them. The longest of those that begin leftmost wins. Immutable after building.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "engine/tokenizer/flat_map.hpp"
#include "engine/tokenizer/json_fields.hpp"
#include "engine/tokenizer/normalizer.hpp"
#include "engine/tokenizer/pieces.hpp"
#include "engine/tokenizer/vocabulary.hpp"

namespace engine {

struct AddedToken {
  std::string content;
  TokenId id = 0;
  bool special = false;
  bool single_word = false;  // only where no word character touches it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and after it
  bool normalized = false;
  std::string spelling;  // what is looked for: the content, normalized where the flag says so
};

class AddedTokens {
 public:
  static Result<AddedTokens> read(const JsonNode& node, const Vocabulary& vocabulary,
                                  const Normalizer& normalizer);
  static Result<AddedTokens> build(std::vector<AddedToken> tokens, const Vocabulary& vocabulary,
                                   const Normalizer& normalizer, const std::string& where);

  // Splits a text at its added tokens and normalizes what lies between.
  Result<PieceList> extract(std::string_view text, const Normalizer& normalizer) const;

  const AddedToken* find(TokenId id) const;
  std::optional<TokenId> id_of(std::string_view content) const;
  std::int32_t end_id() const { return tokens_.empty() ? 0 : tokens_.rbegin()->first + 1; }

 private:
  // Tokens as a tree of bytes.
  class Trie {
   public:
    void insert(std::string_view spelling, const AddedToken* token);
    // The longest token at the start of `text`, null if none.
    const AddedToken* longest_prefix(std::string_view text) const;

   private:
    FlatMap<std::uint32_t> children_;               // node << 8 | byte -> node
    std::vector<const AddedToken*> ends_{nullptr};  // by node: the token that ends there
  };

  static void find_matches(const Trie& trie, std::string_view text, bool at_text_start, PieceList& list);

  std::map<TokenId, AddedToken> tokens_;  // a map: the tries point to its values
  std::map<std::string, TokenId, std::less<>> ids_;
  Trie raw_;
  Trie normalized_;
};

}  // namespace engine
