// Live and allocated slots of every head after every step of one sequence.
//
// Neighbouring states differ by little, so a block stores its first state in full and later ones as one byte
// per head and kind: 0.6 KB a step instead of 2.3 KB for 36 x 8 heads. One writer appends; readers use
// records below a published count (append_only.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "app/view/append_only.hpp"
#include "engine/events/events.hpp"

namespace app::view {

class OccupancyBlock {
 public:
  static constexpr std::int32_t kStates = 64;
  OccupancyBlock(std::span<const std::int32_t> live, std::span<const std::int32_t> allocated);

  // False when it is full or a difference does not fit a byte. Writer's thread.
  bool append(std::span<const std::int32_t> live, std::span<const std::int32_t> allocated);
  std::int32_t states() const { return states_; }

  std::int32_t live(std::int32_t state, std::int32_t head) const { return value(live_, state, head); }
  std::int32_t allocated(std::int32_t state, std::int32_t head) const {
    return value(allocated_, state, head);
  }
  std::size_t bytes() const;

 private:
  struct Column {
    std::vector<std::int32_t> first;       // [heads]
    std::unique_ptr<std::int8_t[]> delta;  // [kStates - 1, heads], to the first state
  };
  static Column make(std::span<const std::int32_t> first);
  static bool fits(const Column& column, std::span<const std::int32_t> next);
  static std::int32_t value(const Column& column, std::int32_t state, std::int32_t head);
  void store(Column& column, std::span<const std::int32_t> next) const;

  Column live_, allocated_;
  std::int32_t states_ = 1;
};

// The cache of one sequence after one step.
struct OccupancyRecord {
  engine::Step step = 0;
  std::int32_t position = -1;   // the last one processed by then
  std::int32_t state = 0;       // in the block
  std::int64_t live_slots = 0;  // all heads
  std::int64_t allocated_slots = 0;
  const OccupancyBlock* block = nullptr;

  std::int32_t live(std::int32_t head) const { return block->live(state, head); }
  std::int32_t allocated(std::int32_t head) const { return block->allocated(state, head); }
};

using OccupancyLog = AppendOnly<OccupancyRecord>;

}  // namespace app::view
