#include "engine/tokenizer/vocabulary.hpp"

#include <algorithm>

#include "engine/tokenizer/utf8.hpp"

namespace engine {

Result<Vocabulary> Vocabulary::build(std::vector<std::pair<std::string, std::int64_t>> entries,
                                     const std::string& file) {
  std::int64_t end = 0;
  for (const auto& [token, id] : entries) {
    if (id < 0 || id > kMaxTokenId) {
      return bad_input("{}: model.vocab: {} has id {}, expected 0 to {}", file, in_quotes(token), id,
                       kMaxTokenId);
    }
    end = std::max(end, id + 1);
  }
  std::unordered_map<std::string_view, std::size_t> last;  // which entry of a token counts
  last.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) last[entries[i].first] = i;

  Vocabulary vocabulary;
  vocabulary.tokens_.resize(static_cast<std::size_t>(end));
  vocabulary.known_.resize(static_cast<std::size_t>(end));
  std::vector<std::size_t> chosen;
  chosen.reserve(last.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (last[entries[i].first] == i) chosen.push_back(i);
  }
  last.clear();
  vocabulary.ids_.reserve(chosen.size());
  for (const std::size_t i : chosen) {
    const auto id = static_cast<std::size_t>(entries[i].second);
    std::string& token = vocabulary.tokens_[id];
    if (vocabulary.known_[id]) {
      return bad_input("{}: model.vocab: {} and {} have the same id {}", file, in_quotes(token),
                       in_quotes(entries[i].first), id);
    }
    vocabulary.known_[id] = true;
    token = std::move(entries[i].first);
    vocabulary.ids_.emplace(token, static_cast<TokenId>(id));
  }
  return vocabulary;
}

std::optional<TokenId> Vocabulary::id_of(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const std::string* Vocabulary::token(TokenId id) const {
  const auto index = static_cast<std::size_t>(id);
  if (id < 0 || index >= tokens_.size() || !known_[index]) return nullptr;
  return &tokens_[index];
}

}  // namespace engine
