#include "engine/tokenizer/bpe_tokenizer.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

// Words worth remembering within one text: longer ones hardly come back.
constexpr std::size_t kLongestCachedWord = 128;
constexpr std::size_t kMostCachedWords = 1 << 16;

struct CachedWord {
  std::size_t begin = 0;  // of its ids among those of the text so far
  std::size_t count = 0;
};

}  // namespace

Result<std::vector<TokenId>> BpeTokenizer::encode(std::string_view text) const {
  if (const std::size_t offset = find_invalid_utf8(text); offset != std::string_view::npos) {
    return bad_input("text: not valid UTF-8 at byte {}", offset);
  }
  if (text.size() > std::numeric_limits<std::int32_t>::max() / 16) {
    return bad_input("text: {} bytes, expected at most {}", text.size(),
                     std::numeric_limits<std::int32_t>::max() / 16);
  }
  Result<PieceList> extracted = parts_.added.extract(text, parts_.normalizer);
  if (!extracted) return extracted.error();
  const Result<PieceList> words = parts_.pre_tokenizer.apply(std::move(*extracted));
  if (!words) return words.error();
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3);
  if (Status status = encode_pieces(*words, ids); !status) return status.error();
  return ids;
}

Status BpeTokenizer::encode_pieces(const PieceList& list, std::vector<TokenId>& ids) const {
  std::unordered_map<std::string_view, CachedWord> cache;
  for (const Piece& piece : list.pieces) {
    if (piece.token != kNotAToken) {
      ids.push_back(piece.token);
      continue;
    }
    const std::string_view word = list.view(piece);
    const bool cacheable = word.size() <= kLongestCachedWord;
    if (cacheable) {
      if (const auto found = cache.find(word); found != cache.end()) {
        for (std::size_t i = 0; i < found->second.count; ++i)
          ids.push_back(TokenId{ids[found->second.begin + i]});
        continue;
      }
    }
    const std::size_t begin = ids.size();
    if (Status status = parts_.model.encode_word(word, ids); !status) return status;
    if (cacheable && cache.size() < kMostCachedWords) cache[word] = {begin, ids.size() - begin};
  }
  return {};
}

const std::string* BpeTokenizer::spelling(TokenId id) const {
  if (const AddedToken* token = parts_.added.find(id)) return &token->spelling;
  return parts_.model.vocabulary().token(id);
}

std::string BpeTokenizer::token_bytes(TokenId id) const {
  const std::string* token = spelling(id);
  return token == nullptr ? std::string() : parts_.decoder.token_bytes(*token);
}

Result<std::string> BpeTokenizer::decode(std::span<const TokenId> ids) const {
  DecodeState state;
  std::string text;
  for (const TokenId id : ids) {
    const std::string* token = spelling(id);
    if (token == nullptr) return bad_input("id {}: not in the vocabulary of {}", id, file_);
    parts_.decoder.push(state, *token, text);
  }
  parts_.decoder.finish(state, text);
  return text;
}

std::string BpeTokenizer::decode_step(DecodeState& state, TokenId id) const {
  std::string text;
  if (const std::string* token = spelling(id)) parts_.decoder.push(state, *token, text);
  return text;
}

std::string BpeTokenizer::decode_end(DecodeState& state) const {
  std::string text;
  parts_.decoder.finish(state, text);
  state = {};
  return text;
}

bool BpeTokenizer::is_special(TokenId id) const {
  const AddedToken* token = parts_.added.find(id);
  return token != nullptr && token->special;
}

bool BpeTokenizer::knows(TokenId id) const {
  return spelling(id) != nullptr;
}

std::optional<TokenId> BpeTokenizer::id_of(std::string_view token) const {
  if (const std::optional<TokenId> id = parts_.added.id_of(token)) return id;
  return parts_.model.vocabulary().id_of(token);
}

std::int32_t BpeTokenizer::size() const {
  return std::max(parts_.model.vocabulary().end_id(), parts_.added.end_id());
}

}  // namespace engine
