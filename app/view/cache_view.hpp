// The cache of one sequence at any position s: who is alive, marked, evicted, and what it costs.
//
// alive(head, t, s) = t <= s and (s - t <= window or t is not marked). With the threshold and window of the
// run this is exact, from the decisions as executed; with others it is a *preview* from the stored logits:
// exact in layer 0, an estimate above it (docs/policies.md). Policies without a closed form show what they
// recorded and have no preview. Tokens that are not decided by s count as not marked.
//
// update() is cheap when nothing changed. Any thread, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "app/view/mark_index.hpp"
#include "app/view/run_snapshot.hpp"

namespace app::view {

enum class TokenState : std::uint8_t {
  unborn,     // t > s
  undecided,  // in the window, its logit is not known yet
  window,     // in the window, decided to be kept
  doomed,     // in the window, marked
  kept,
  evicted,
};
const char* name_of(TokenState state);

// Absent: the run's own.
struct CacheSettings {
  std::optional<double> threshold = {};
  std::optional<std::int32_t> window = {};
  bool operator==(const CacheSettings&) const = default;
};

struct CacheSize {
  std::int64_t live_slots = 0;
  std::int64_t doomed_slots = 0;
  std::int64_t dense_slots = 0;
  std::optional<std::int64_t> allocated_slots;  // absent in a preview, and before the first step has ended
  std::int64_t slot_bytes = 0;

  std::int64_t logical_bytes() const { return live_slots * slot_bytes; }
  std::int64_t dense_bytes() const { return dense_slots * slot_bytes; }
  std::optional<std::int64_t> allocated_bytes() const;
  double logical_ratio() const;  // dense / live; 1 for an empty cache
  std::optional<double> allocated_ratio() const;
};

// What happens to a head when position s + 1 enters.
struct NextPush {
  std::int32_t position = -1;  // the token that leaves the window, -1: the window is not full yet
  bool decided = false;
  bool evicted = false;  // it is marked: its slot takes the new token. Else it stays and the head grows
};

// When a token of a head was, or will be, what. Positions.
struct TokenDates {
  std::int32_t born = 0;
  std::int32_t decided = 0;             // t + lag
  std::int32_t leaves = 0;              // t + window + 1: evicted there if marked
  std::optional<std::int32_t> evicted;  // absent: kept, or not decided so far
};

class CacheView {
 public:
  // `sequence` must be one of the snapshot's.
  void update(std::shared_ptr<const RunSnapshot> run, engine::SequenceId sequence,
              const CacheSettings& settings = {});

  bool empty() const { return sequence_ == nullptr; }
  const RunSnapshot& run() const { return *run_; }
  const SequenceView& sequence() const { return *sequence_; }
  bool preview() const { return preview_; }
  bool closed_form() const { return closed_form_; }
  double threshold() const { return threshold_; }
  std::int32_t window() const { return window_; }
  std::int32_t lag() const { return lag_; }
  std::int32_t heads() const { return heads_; }
  std::int32_t positions() const { return positions_; }  // s in [0, positions)

  TokenState state(std::int32_t head, std::int32_t t, std::int32_t s) const;
  TokenDates dates(std::int32_t head, std::int32_t t) const;
  NextPush next_push(std::int32_t head, std::int32_t s) const;

  std::int32_t live(std::int32_t head, std::int32_t s) const;
  std::int32_t doomed(std::int32_t head, std::int32_t s) const;
  CacheSize size(std::int32_t s) const;
  CacheSize head_size(std::int32_t head, std::int32_t s) const;
  // Live slots of all heads together after first, first + 1, ...
  void live_totals(std::int32_t first, std::span<std::int64_t> out) const;

  // Heads that still hold, or have marked and still hold, tokens first, first + 1, ... at s.
  void heads_holding(std::int32_t s, std::int32_t first, std::span<std::int32_t> out) const;
  void heads_doomed(std::int32_t s, std::int32_t first, std::span<std::int32_t> out) const;

  // Marks that hold at s, and the window to read them with: -1 where marked means evicted.
  struct Marks {
    const MarkIndex* index = nullptr;
    std::int32_t window = 0;
    std::int32_t lag = 0;
  };
  Marks marks(std::int32_t s);

  const MarkIndex& index() const { return index_; }

 private:
  std::int32_t decided_end(std::int32_t s) const;   // tokens below it are decided at s
  std::int32_t left_end(std::int32_t s) const;      // tokens below it have left the window, if marked
  std::int32_t window_begin(std::int32_t s) const;  // first token in the window at s

  std::shared_ptr<const RunSnapshot> run_;
  const SequenceView* sequence_ = nullptr;
  CacheSettings settings_;
  bool preview_ = false;
  bool closed_form_ = true;
  double threshold_ = 0;
  std::int32_t window_ = 0;
  std::int32_t lag_ = 0;
  std::int32_t heads_ = 0;
  std::int32_t positions_ = 0;
  MarkIndex index_;
};

}  // namespace app::view
