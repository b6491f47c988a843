// The tokens of a model and their ids, both ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"

namespace engine {

// Largest id a file may use. Published vocabularies stay below 300,000; the tables here are as long as the
// largest id.
inline constexpr std::int64_t kMaxTokenId = (std::int64_t{1} << 22) - 1;

class Vocabulary {
 public:
  // A token may be listed twice, then the last id counts (as in Hugging Face); an id belongs to one token.
  static Result<Vocabulary> build(std::vector<std::pair<std::string, std::int64_t>> entries,
                                  const std::string& file);

  std::optional<TokenId> id_of(std::string_view token) const;
  // Null for an id between others that no token has.
  const std::string* token(TokenId id) const;
  std::size_t size() const { return ids_.size(); }                                   // tokens
  std::int32_t end_id() const { return static_cast<std::int32_t>(tokens_.size()); }  // largest id + 1

 private:
  std::vector<std::string> tokens_;  // by id; never resized after build(), the views below point into it
  std::vector<bool> known_;
  std::unordered_map<std::string_view, TokenId> ids_;
};

}  // namespace engine
