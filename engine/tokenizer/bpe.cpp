#include "engine/tokenizer/bpe.hpp"

#include <algorithm>

#include "engine/tokenizer/utf8.hpp"

namespace engine {

// A character or what it was merged into. Merged-away symbols stay in place, marked, so that positions keep.
struct BpeModel::Symbol {
  TokenId id = 0;
  std::int32_t previous = -1;
  std::int32_t next = -1;
  bool removed = false;
};

struct BpeModel::Candidate {
  std::uint32_t rank = 0;
  std::int32_t position = 0;
  TokenId merged = 0;

  // std::push_heap keeps the largest on top: the lowest rank, then the leftmost.
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

namespace {

std::uint64_t pair_key(TokenId left, TokenId right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

}  // namespace

Result<BpeModel> BpeModel::build(Vocabulary vocabulary, const std::vector<MergePair>& merges,
                                 BpeOptions options, const std::string& file) {
  BpeModel model;
  model.merges_ = FlatMap<Merge>(merges.size());
  const std::size_t prefix = options.continuing_subword_prefix.size();
  std::string merged;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const std::optional<TokenId> left_id = vocabulary.id_of(left);
    const std::optional<TokenId> right_id = vocabulary.id_of(right);
    if (!left_id || !right_id || right.size() < prefix) {
      return bad_input("{}: model.merges[{}]: {} is not in model.vocab", file, rank,
                       in_quotes(left_id ? right : left));
    }
    merged.assign(left).append(right, prefix);
    const std::optional<TokenId> merged_id = vocabulary.id_of(merged);
    if (!merged_id) {
      return bad_input("{}: model.merges[{}]: the result {} is not in model.vocab", file, rank,
                       in_quotes(merged));
    }
    model.merges_[pair_key(*left_id, *right_id)] = {static_cast<std::uint32_t>(rank), *merged_id};
  }
  if (options.unk_token) model.unk_id_ = vocabulary.id_of(*options.unk_token);
  for (int byte = 0; byte < 256; ++byte)
    model.byte_ids_.push_back(vocabulary.id_of(fmt::format("<0x{:02X}>", byte)));
  model.vocabulary_ = std::move(vocabulary);
  model.options_ = std::move(options);
  model.file_ = file;
  return model;
}

const BpeModel::Merge* BpeModel::merge_of(TokenId left, TokenId right) const {
  return merges_.find(pair_key(left, right));
}

bool BpeModel::append_fallback_bytes(std::string_view character, std::vector<Symbol>& symbols) const {
  for (const char byte : character) {
    if (!byte_ids_[static_cast<std::uint8_t>(byte)]) return false;
  }
  for (const char byte : character) symbols.push_back({*byte_ids_[static_cast<std::uint8_t>(byte)]});
  return true;
}

// Unknown characters become byte tokens, else the unk token (one for a run of them with fuse_unk), else
// nothing. Byte tokens overtake an unk token that is still waiting for its run to end: Hugging Face's order,
// kept.
Status BpeModel::split_characters(std::string_view word, std::vector<Symbol>& symbols) const {
  bool unk_waiting = false;
  std::string decorated;
  std::size_t offset = 0;
  while (offset < word.size()) {
    const std::size_t begin = offset;
    next_code_point(word, offset);
    std::string_view character = word.substr(begin, offset - begin);
    const bool prefixed = begin > 0 && !options_.continuing_subword_prefix.empty();
    const bool suffixed = offset == word.size() && !options_.end_of_word_suffix.empty();
    if (prefixed || suffixed) {
      decorated = prefixed ? options_.continuing_subword_prefix : std::string();
      decorated += character;
      if (suffixed) decorated += options_.end_of_word_suffix;
      character = decorated;
    }
    if (const std::optional<TokenId> id = vocabulary_.id_of(character)) {
      if (unk_waiting) symbols.push_back({*unk_id_});
      unk_waiting = false;
      symbols.push_back({*id});
      continue;
    }
    if (options_.byte_fallback && append_fallback_bytes(character, symbols)) continue;
    if (!options_.unk_token) continue;
    if (!unk_id_) {
      return bad_input("{}: model.unk_token: {} is needed for {} but is not in model.vocab", file_,
                       in_quotes(*options_.unk_token), in_quotes(character));
    }
    if (unk_waiting && !options_.fuse_unk) symbols.push_back({*unk_id_});
    unk_waiting = true;
  }
  if (unk_waiting) symbols.push_back({*unk_id_});
  return {};
}

void BpeModel::merge_all(std::vector<Symbol>& symbols) const {
  std::vector<Candidate> queue;
  const auto consider = [&](std::int32_t left, std::int32_t right) {
    const Merge* merge =
        merge_of(symbols[static_cast<std::size_t>(left)].id, symbols[static_cast<std::size_t>(right)].id);
    if (merge == nullptr) return;
    queue.push_back({merge->rank, left, merge->merged});
    std::push_heap(queue.begin(), queue.end());
  };
  const auto count = static_cast<std::int32_t>(symbols.size());
  for (std::int32_t i = 0; i < count; ++i) {
    symbols[static_cast<std::size_t>(i)].previous = i - 1;
    symbols[static_cast<std::size_t>(i)].next = i + 1 < count ? i + 1 : -1;
    if (i + 1 < count) consider(i, i + 1);
  }
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end());
    const Candidate top = queue.back();
    queue.pop_back();
    Symbol& left = symbols[static_cast<std::size_t>(top.position)];
    if (left.removed || left.next < 0) continue;
    Symbol& right = symbols[static_cast<std::size_t>(left.next)];
    const Merge* current = merge_of(left.id, right.id);
    if (current == nullptr || current->merged != top.merged) continue;  // overtaken by another merge
    left.id = top.merged;
    left.next = right.next;
    right.removed = true;
    if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = top.position;
    if (left.previous >= 0) consider(left.previous, top.position);
    if (left.next >= 0) consider(top.position, left.next);
  }
}

Status BpeModel::encode_word(std::string_view word, std::vector<TokenId>& ids) const {
  if (options_.ignore_merges) {
    if (const std::optional<TokenId> id = vocabulary_.id_of(word)) {
      ids.push_back(*id);
      return {};
    }
  }
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  if (Status status = split_characters(word, symbols); !status) return status;
  merge_all(symbols);
  for (const Symbol& symbol : symbols) {
    if (!symbol.removed) ids.push_back(symbol.id);
  }
  return {};
}

}  // namespace engine
