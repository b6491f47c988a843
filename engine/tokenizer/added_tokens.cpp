#include "engine/tokenizer/added_tokens.hpp"

#include "engine/tokenizer/unicode.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

// Looking for tokens takes at most this many steps per byte of text. Published tokens have under 100 bytes.
constexpr std::size_t kLongestToken = 1024;
constexpr std::size_t kMostBytes = 4 << 20;  // of all tokens together

Result<AddedToken> read_token(const JsonNode& node) {
  if (Status status = node.expect_object(); !status) return status.error();
  AddedToken token;
  Result<std::string> content = node.string("content");
  if (!content) return content.error();
  token.content = std::move(*content);
  const Result<std::int64_t> id = node.integer("id");
  if (!id) return id.error();
  if (*id < 0 || *id > kMaxTokenId) {
    return bad_input("{}.id: {} has id {}, expected 0 to {}", node.where, in_quotes(token.content), *id,
                     kMaxTokenId);
  }
  token.id = static_cast<TokenId>(*id);
  struct Flag {
    const char* key;
    bool* value;
  };
  const Flag flags[] = {{"special", &token.special},
                        {"single_word", &token.single_word},
                        {"lstrip", &token.lstrip},
                        {"rstrip", &token.rstrip},
                        {"normalized", &token.normalized}};
  for (const Flag& flag : flags) {
    const Result<bool> value = node.boolean(flag.key);
    if (!value) return value.error();
    *flag.value = *value;
  }
  return token;
}

// Start of the white space that ends at `end`, not before `lowest`.
std::size_t white_space_before(std::string_view text, std::size_t end, std::size_t lowest) {
  while (end > lowest) {
    std::size_t begin = end - 1;
    while (begin > lowest && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) --begin;
    std::size_t offset = begin;
    if (!is_white_space(next_code_point(text, offset))) break;
    end = begin;
  }
  return end;
}

std::size_t white_space_after(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    std::size_t offset = begin;
    if (!is_white_space(next_code_point(text, offset))) break;
    begin = offset;
  }
  return begin;
}

bool touches_word(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0) {
    std::size_t offset = begin - 1;
    while (offset > 0 && (static_cast<unsigned char>(text[offset]) & 0xC0U) == 0x80U) --offset;
    if (is_word_character(next_code_point(text, offset))) return true;
  }
  return end < text.size() && is_word_character(next_code_point(text, end));
}

}  // namespace

void AddedTokens::Trie::insert(std::string_view spelling, const AddedToken* token) {
  std::uint32_t node = 0;
  for (const char byte : spelling) {
    std::uint32_t& child = children_[std::uint64_t{node} << 8 | static_cast<std::uint8_t>(byte)];
    if (child == 0) {
      child = static_cast<std::uint32_t>(ends_.size());
      ends_.push_back(nullptr);
    }
    node = child;
  }
  ends_[node] = token;
}

const AddedToken* AddedTokens::Trie::longest_prefix(std::string_view text) const {
  const AddedToken* found = nullptr;
  std::uint32_t node = 0;
  for (const char byte : text) {
    const std::uint32_t* child = children_.find(std::uint64_t{node} << 8 | static_cast<std::uint8_t>(byte));
    if (child == nullptr) break;
    node = *child;
    if (ends_[node] != nullptr) found = ends_[node];
  }
  return found;
}

Result<AddedTokens> AddedTokens::read(const JsonNode& node, const Vocabulary& vocabulary,
                                      const Normalizer& normalizer) {
  std::vector<AddedToken> tokens;
  if (!node.is_null()) {
    if (Status status = node.expect_array(); !status) return status.error();
    for (std::size_t i = 0; i < node.value->size(); ++i) {
      Result<AddedToken> token = read_token(node.element(i));
      if (!token) return token.error();
      tokens.push_back(std::move(*token));
    }
  }
  return build(std::move(tokens), vocabulary, normalizer, node.where);
}

// Hugging Face numbers the tokens itself: those the model knows keep its id, the others follow the
// vocabulary's size. A file that says otherwise would run with ids its weights were not trained on, so it is
// refused.
Result<AddedTokens> AddedTokens::build(std::vector<AddedToken> tokens, const Vocabulary& vocabulary,
                                       const Normalizer& normalizer, const std::string& where) {
  AddedTokens added;
  const RegexDeadline deadline = regex_deadline(0);
  std::size_t total_bytes = 0;
  auto next_id = static_cast<TokenId>(vocabulary.size());
  for (AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    total_bytes += token.content.size();
    if (total_bytes > kMostBytes) return bad_input("{}: more than {} bytes of tokens", where, kMostBytes);
    if (token.content.size() > kLongestToken) {
      return bad_input("{}: a token of {} bytes, expected at most {}", where, token.content.size(),
                       kLongestToken);
    }
    std::optional<TokenId> id = added.id_of(token.content);
    if (!id) id = vocabulary.id_of(token.content);
    if (!id) id = next_id++;
    if (*id != token.id) {
      return bad_input("{}: {} has id {}, but the vocabulary gives it {}", where, in_quotes(token.content),
                       token.id, *id);
    }
    token.spelling = token.content;
    if (token.normalized) {
      Result<std::string> spelling = normalizer.apply(token.content, deadline);
      if (!spelling) return spelling.error();
      token.spelling = std::move(*spelling);
    }
    added.ids_[token.content] = token.id;
    added.tokens_[token.id] = std::move(token);
  }
  for (const auto& [id, token] : added.tokens_) {
    if (!token.spelling.empty())
      (token.normalized ? added.normalized_ : added.raw_).insert(token.spelling, &token);
  }
  return added;
}

const AddedToken* AddedTokens::find(TokenId id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second;
}

std::optional<TokenId> AddedTokens::id_of(std::string_view content) const {
  const auto found = ids_.find(content);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

// Appends the pieces of `text`. A match that single_word refuses still uses up its text.
void AddedTokens::find_matches(const Trie& trie, std::string_view text, bool at_text_start, PieceList& list) {
  const std::size_t base = list.text.size();
  list.text += text;
  std::size_t covered = 0;
  const auto cut_until = [&](std::size_t end) {
    if (covered < end)
      list.pieces.push_back({base + covered, base + end, at_text_start && covered == 0, kNotAToken});
  };
  std::size_t stripped_end = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const AddedToken* token = trie.longest_prefix(text.substr(at));
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    std::size_t end = at + token->spelling.size();
    at = end;
    if (token->single_word && touches_word(text, begin, end)) continue;
    if (token->lstrip) begin = begin > covered ? white_space_before(text, begin, covered) : covered;
    // A token of white space may end inside what the one before took along: that run is not scanned again.
    if (token->rstrip) end = end < stripped_end ? stripped_end : white_space_after(text, end);
    if (token->rstrip) stripped_end = end;
    cut_until(begin);
    list.pieces.push_back({base + begin, base + end, at_text_start && begin == 0, token->id});
    covered = end;
  }
  cut_until(text.size());
}

Result<PieceList> AddedTokens::extract(std::string_view text, const Normalizer& normalizer) const {
  PieceList raw;
  find_matches(raw_, text, true, raw);
  const RegexDeadline deadline = regex_deadline(text.size());
  PieceList result;
  result.text.reserve(text.size());
  for (const Piece& piece : raw.pieces) {
    if (piece.token != kNotAToken) {
      result.pieces.push_back({result.text.size(), result.text.size(), piece.at_text_start, piece.token});
    } else if (normalizer.changes_nothing()) {
      find_matches(normalized_, raw.view(piece), piece.at_text_start, result);
    } else {
      const Result<std::string> normalized = normalizer.apply(raw.view(piece), deadline);
      if (!normalized) return normalized.error();
      find_matches(normalized_, *normalized, piece.at_text_start, result);
    }
  }
  return result;
}

}  // namespace engine
