#include "app/view/selection.hpp"

#include <algorithm>

namespace app::view {

HeadSet HeadSet::of(std::vector<Head> heads) {
  HeadSet set;
  set.heads_ = std::move(heads);
  std::sort(set.heads_.begin(), set.heads_.end());
  set.heads_.erase(std::unique(set.heads_.begin(), set.heads_.end()), set.heads_.end());
  return set;
}

HeadSet HeadSet::layer(std::int32_t layer, std::int32_t kv_heads) {
  HeadSet set;
  for (std::int32_t head = 0; head < kv_heads; ++head) set.heads_.push_back({layer, head});
  return set;
}

bool HeadSet::contains(Head head) const {
  return std::binary_search(heads_.begin(), heads_.end(), head);
}

bool HeadSet::contains_layer(std::int32_t layer) const {
  const auto first = std::lower_bound(heads_.begin(), heads_.end(), Head{layer, 0});
  return first != heads_.end() && first->layer == layer;
}

HeadSet HeadSet::with(Head head) const {
  std::vector<Head> heads = heads_;
  heads.push_back(head);
  return of(std::move(heads));
}

HeadSet HeadSet::without(Head head) const {
  HeadSet set = *this;
  std::erase(set.heads_, head);
  return set;
}

bool Selection::nothing_pinned() const {
  return !token && !tokens && !head && heads.empty() && !operation && !times;
}

Selection pin_token(Selection selection, std::int32_t token) {
  selection.token = token;
  return selection;
}

Selection pin_head(Selection selection, Head head) {
  selection.head = head;
  return selection;
}

Selection select_tokens(Selection selection, std::int32_t from, std::int32_t to) {
  selection.tokens = TokenRange{std::min(from, to), std::max(from, to) + 1};
  return selection;
}

Selection extend_tokens(Selection selection, std::int32_t by, std::int32_t tokens) {
  if (tokens <= 0 || (!selection.token && !selection.tokens)) return selection;
  std::int32_t anchor = selection.token.value_or(0), end = anchor;
  if (const auto& range = selection.tokens) {
    // The pinned token stays where it is an end of the range; else its beginning does.
    const bool from_end = selection.token && *selection.token == range->end - 1 && range->size() > 1;
    anchor = from_end ? range->end - 1 : range->begin;
    end = from_end ? range->begin : range->end - 1;
  }
  return select_tokens(std::move(selection), anchor, std::clamp(end + by, 0, tokens - 1));
}

Selection pin_next_head(Selection selection, std::int32_t by, std::int32_t layers, std::int32_t kv_heads) {
  const std::int32_t count = layers * kv_heads;
  if (count <= 0) return selection;
  std::int32_t flat = by > 0 ? 0 : count - 1;
  if (selection.head) flat = selection.head->layer * kv_heads + selection.head->kv_head + by;
  flat = std::clamp(flat, 0, count - 1);
  return pin_head(std::move(selection), {flat / kv_heads, flat % kv_heads});
}

Selection toggle_layer(Selection selection, std::int32_t kv_heads) {
  if (!selection.head) return selection;
  const HeadSet layer = HeadSet::layer(selection.head->layer, kv_heads);
  selection.heads = selection.heads == layer ? HeadSet() : layer;
  return selection;
}

Selection clear_one(Selection selection) {
  if (selection.tokens || selection.times || !selection.heads.empty() || selection.operation) {
    selection.tokens.reset();
    selection.times.reset();
    selection.operation.reset();
    selection.heads = {};
  } else {
    selection.token.reset();
    selection.head.reset();
  }
  return selection;
}

Selection clamp_to(Selection selection, std::int32_t tokens, std::int32_t processed, std::int32_t layers,
                   std::int32_t kv_heads) {
  const auto exists = [&](Head head) {
    return 0 <= head.layer && head.layer < layers && 0 <= head.kv_head && head.kv_head < kv_heads;
  };
  if (selection.token && (*selection.token < 0 || *selection.token >= tokens)) selection.token.reset();
  if (selection.position && processed <= 0) selection.position.reset();
  if (selection.position) selection.position = std::clamp(*selection.position, 0, processed - 1);
  if (selection.tokens) {
    selection.tokens =
        TokenRange{std::max(0, selection.tokens->begin), std::min(tokens, selection.tokens->end)};
    if (selection.tokens->size() <= 0) selection.tokens.reset();
  }
  if (selection.head && !exists(*selection.head)) selection.head.reset();
  std::vector<Head> heads = selection.heads.heads();
  std::erase_if(heads, [&](Head head) { return !exists(head); });
  selection.heads = HeadSet::of(std::move(heads));
  return selection;
}

void SelectionHistory::push(Selection selection) {
  if (selection == current()) return;
  entries_.resize(index_ + 1);
  entries_.push_back(std::move(selection));
  if (entries_.size() > kDepth) entries_.erase(entries_.begin());
  index_ = entries_.size() - 1;
}

}  // namespace app::view
