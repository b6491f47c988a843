#include "app/view/cache_view.hpp"

#include <algorithm>
#include <cassert>

namespace app::view {

namespace {

// Windows beyond any context mean "for ever"; the bound keeps sums of positions in range.
constexpr std::int32_t kLongestWindow = 1 << 29;

double ratio(std::int64_t dense, std::int64_t slots) {
  return slots > 0 ? static_cast<double>(dense) / static_cast<double>(slots) : 1;
}

}  // namespace

const char* name_of(TokenState state) {
  switch (state) {
    case TokenState::unborn:
      return "not yet born";
    case TokenState::undecided:
      return "undecided";
    case TokenState::window:
      return "in the window";
    case TokenState::doomed:
      return "marked";
    case TokenState::kept:
      return "kept";
    case TokenState::evicted:
      return "evicted";
  }
  return "";
}

std::optional<std::int64_t> CacheSize::allocated_bytes() const {
  return allocated_slots ? std::optional(*allocated_slots * slot_bytes) : std::nullopt;
}
double CacheSize::logical_ratio() const {
  return ratio(dense_slots, live_slots);
}
std::optional<double> CacheSize::allocated_ratio() const {
  return allocated_slots ? std::optional(ratio(dense_slots, *allocated_slots)) : std::nullopt;
}

void CacheView::update(std::shared_ptr<const RunSnapshot> run, engine::SequenceId sequence,
                       const CacheSettings& settings) {
  run_ = std::move(run);
  sequence_ = run_->sequence(sequence);
  if (sequence_ == nullptr) return;
  const engine::RunStarted& facts = run_->run();
  closed_form_ = facts.closed_form;
  // A policy without a closed form shows what it did; there is nothing to preview.
  const CacheSettings used = closed_form_ ? settings : CacheSettings{};
  threshold_ = used.threshold.value_or(facts.threshold);
  window_ = std::clamp(used.window.value_or(facts.window), 0, kLongestWindow);
  // A mark later than its eviction would have no effect: lag <= window + 1 (docs/policies.md).
  lag_ = std::clamp(facts.lag, 0, window_ + 1);
  const bool other_threshold = used.threshold && *used.threshold != facts.threshold;
  preview_ = other_threshold || window_ != std::clamp(facts.window, 0, kLongestWindow);
  heads_ = run_->heads();
  positions_ = sequence_->processed();
  if (!closed_form_) return;  // marks() asks for the position
  index_.update(*run_, *sequence_,
                {other_threshold ? Marking::Source::threshold : Marking::Source::executed, threshold_, 0});
}

std::int32_t CacheView::decided_end(std::int32_t s) const {
  return std::clamp(s - lag_ + 1, 0, index_.judged());
}

std::int32_t CacheView::window_begin(std::int32_t s) const {
  return std::max(0, s - window_);
}

// Of the tokens that have left the window, decided ones only: what is not decided counts as not marked.
std::int32_t CacheView::left_end(std::int32_t s) const {
  return std::min(window_begin(s), index_.judged());
}

TokenState CacheView::state(std::int32_t head, std::int32_t t, std::int32_t s) const {
  if (t > s) return TokenState::unborn;
  if (!closed_form_) {
    return sequence_->evicted_at(head, t) <= s ? TokenState::evicted : TokenState::kept;
  }
  const bool decided = t < decided_end(s);
  const bool marked = decided && index_.test(head, t);
  if (t < window_begin(s)) return marked ? TokenState::evicted : TokenState::kept;
  if (!decided) return TokenState::undecided;
  return marked ? TokenState::doomed : TokenState::window;
}

TokenDates CacheView::dates(std::int32_t head, std::int32_t t) const {
  TokenDates dates{t, t + lag_, t + window_ + 1, {}};
  if (!closed_form_) {
    const std::int32_t evicted = sequence_->evicted_at(head, t);
    if (evicted != kNeverEvicted) dates.evicted = dates.leaves = evicted;
    return dates;
  }
  if (t < index_.judged() && index_.test(head, t)) dates.evicted = dates.leaves;
  return dates;
}

NextPush CacheView::next_push(std::int32_t head, std::int32_t s) const {
  const std::int32_t leaving = s - window_;
  if (!closed_form_ || leaving < 0 || leaving > s) return {};
  // Decided at the latest by the position that pushes it out.
  const bool decided = leaving < decided_end(s + 1);
  return {leaving, decided, decided && index_.test(head, leaving)};
}

std::int32_t CacheView::live(std::int32_t head, std::int32_t s) const {
  if (closed_form_) return s + 1 - index_.rank(head, left_end(s));
  const OccupancyRecord* record = sequence_->occupancy_at(s);
  return record != nullptr ? record->live(head) : 0;
}

std::int32_t CacheView::doomed(std::int32_t head, std::int32_t s) const {
  if (!closed_form_) return 0;
  const std::int32_t begin = left_end(s);
  return index_.rank(head, std::max(begin, decided_end(s))) - index_.rank(head, begin);
}

CacheSize CacheView::head_size(std::int32_t head, std::int32_t s) const {
  CacheSize size{live(head, s), doomed(head, s), std::int64_t{s} + 1, {}, run_->run().slot_bytes};
  const OccupancyRecord* record = sequence_->occupancy_at(s);
  if (!preview_ && record != nullptr) size.allocated_slots = record->allocated(head);
  return size;
}

CacheSize CacheView::size(std::int32_t s) const {
  CacheSize size{0, 0, (std::int64_t{s} + 1) * heads_, {}, run_->run().slot_bytes};
  for (std::int32_t head = 0; head < heads_; ++head) {
    size.live_slots += live(head, s);
    size.doomed_slots += doomed(head, s);
  }
  const OccupancyRecord* record = sequence_->occupancy_at(s);
  if (!preview_ && record != nullptr) size.allocated_slots = record->allocated_slots;
  return size;
}

void CacheView::live_totals(std::int32_t first, std::span<std::int64_t> out) const {
  if (!closed_form_) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const OccupancyRecord* record = sequence_->occupancy_at(first + static_cast<std::int32_t>(i));
      out[i] = record != nullptr ? record->live_slots : 0;
    }
    return;
  }
  std::int64_t evicted = 0;
  for (std::int32_t head = 0; head < heads_; ++head) evicted += index_.rank(head, left_end(first));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int32_t s = first + static_cast<std::int32_t>(i);
    // Position s pushes out one token of every head that marked it.
    if (i > 0 && left_end(s) > left_end(s - 1)) evicted += index_.marked_heads(left_end(s - 1));
    out[i] = (std::int64_t{s} + 1) * heads_ - evicted;
  }
}

void CacheView::heads_holding(std::int32_t s, std::int32_t first, std::span<std::int32_t> out) const {
  const std::int32_t left = closed_form_ ? left_end(s) : 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int32_t t = first + static_cast<std::int32_t>(i);
    if (t > s) {
      out[i] = 0;
    } else if (closed_form_) {
      out[i] = heads_ - (t < left ? index_.marked_heads(t) : 0);
    } else {
      out[i] = 0;
      for (std::int32_t head = 0; head < heads_; ++head) out[i] += sequence_->evicted_at(head, t) > s ? 1 : 0;
    }
  }
}

void CacheView::heads_doomed(std::int32_t s, std::int32_t first, std::span<std::int32_t> out) const {
  const std::int32_t begin = closed_form_ ? window_begin(s) : 0;
  const std::int32_t end = closed_form_ ? decided_end(s) : 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int32_t t = first + static_cast<std::int32_t>(i);
    out[i] = begin <= t && t < end ? index_.marked_heads(t) : 0;
  }
}

CacheView::Marks CacheView::marks(std::int32_t s) {
  if (closed_form_) return {&index_, window_, lag_};
  index_.update(*run_, *sequence_, {Marking::Source::evicted, 0, s});
  return {&index_, -1, 0};
}

}  // namespace app::view
