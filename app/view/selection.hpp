// What the user has pinned, and what the pointer is over: the same values for every panel.
//
// Pure values. A hover highlights and changes nothing else; a click or a drag makes another Selection, which
// SelectionHistory remembers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/view/token_axis.hpp"
#include "engine/events/events.hpp"

namespace app::view {

struct Head {
  std::int32_t layer = 0;
  std::int32_t kv_head = 0;
  auto operator<=>(const Head&) const = default;
};

// Heads as a set: sorted, each once. Empty means all.
class HeadSet {
 public:
  HeadSet() = default;
  static HeadSet of(std::vector<Head> heads);
  static HeadSet layer(std::int32_t layer, std::int32_t kv_heads);

  bool empty() const { return heads_.empty(); }
  std::size_t size() const { return heads_.size(); }
  const std::vector<Head>& heads() const { return heads_; }
  bool contains(Head head) const;
  bool contains_layer(std::int32_t layer) const;
  HeadSet with(Head head) const;
  HeadSet without(Head head) const;
  HeadSet toggled(Head head) const { return contains(head) ? without(head) : with(head); }
  bool operator==(const HeadSet&) const = default;

 private:
  std::vector<Head> heads_;
};

struct TimeRange {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  bool operator==(const TimeRange&) const = default;
};

struct Selection {
  engine::SequenceId sequence = 0;
  std::optional<std::int32_t> position;   // time travel: s. Absent: the newest
  std::optional<std::int32_t> token;      // pinned
  std::optional<TokenRange> tokens;       // at least one token
  std::optional<Head> head;               // pinned
  HeadSet heads;                          // what statistics and the table are limited to
  std::optional<std::int16_t> operation;  // index into RunStarted::operations
  std::optional<TimeRange> times;

  bool operator==(const Selection&) const = default;
  // Nothing but the sequence and the position in time, which Esc leaves alone.
  bool nothing_pinned() const;
};

// Each returns the selection that a gesture leads to.
Selection pin_token(Selection selection, std::int32_t token);
Selection pin_head(Selection selection, Head head);
// The two ends in any order, both included.
Selection select_tokens(Selection selection, std::int32_t from, std::int32_t to);
// The selected tokens end `by` further on; without any they begin at the pinned token, the other end of what
// there is. Never beyond [0, tokens).
Selection extend_tokens(Selection selection, std::int32_t by, std::int32_t tokens);
// The head `by` rows further down in a model of this shape; the first, or the last, without one.
Selection pin_next_head(Selection selection, std::int32_t by, std::int32_t layers, std::int32_t kv_heads);
// Limits to the heads of the pinned head's layer, or no longer.
Selection toggle_layer(Selection selection, std::int32_t kv_heads);
// Esc: ranges and sets go first, then pins.
Selection clear_one(Selection selection);
// What is no longer there, in another run or sequence, is dropped.
Selection clamp_to(Selection selection, std::int32_t tokens, std::int32_t processed, std::int32_t layers,
                   std::int32_t kv_heads);

// What the pointer is over, in any panel. Replaced every frame.
struct Hover {
  std::optional<std::int32_t> token;
  std::optional<Head> head;
  std::optional<std::int32_t> layer;
  std::optional<engine::Step> step;
  std::optional<std::int16_t> operation;
  std::optional<std::size_t> span;
  bool operator==(const Hover&) const = default;
};

// Back and forward over selections. Playing and scrubbing replace the newest entry, so that going back does
// not walk through every position.
class SelectionHistory {
 public:
  static constexpr std::size_t kDepth = 256;

  const Selection& current() const { return entries_[index_]; }
  // A gesture of the user: forgets what was ahead. The same selection again is no entry.
  void push(Selection selection);
  // Time moved: the current entry is changed in place.
  void replace(Selection selection) { entries_[index_] = std::move(selection); }
  bool can_go_back() const { return index_ > 0; }
  bool can_go_forward() const { return index_ + 1 < entries_.size(); }
  void back() { index_ -= can_go_back() ? 1U : 0U; }
  void forward() { index_ += can_go_forward() ? 1U : 0U; }

 private:
  std::vector<Selection> entries_{Selection{}};
  std::size_t index_ = 0;
};

}  // namespace app::view
