// Cache states of one sequence over consecutive steps, as a row of occupancy_runs holds them: the first state
// in full, then per step one bit per head that gained a live slot. A decode step adds one token and drops at
// most one, so that is nearly always enough; a state that does not follow begins another run.
//
// Pages follow by rule (a head that outgrows its pages gets one more) or, where a cache allocates otherwise,
// from a second row of bits per step: the heads that gained a page.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "profiling/sqlite_db.hpp"

namespace profiling {

struct OccupancyState {
  std::vector<std::int32_t> live;
  std::vector<std::int32_t> allocated;
};

struct OccupancyRun {
  std::int64_t id = 0;
  std::int64_t sequence = 0;
  std::int64_t first_step = 0;
  std::int64_t steps = 0;
  OccupancyState first;
  Blob live_bits;                      // [steps - 1, ceil(heads / 8)]
  std::optional<Blob> allocated_bits;  // the same shape; absent: pages follow by rule

  std::size_t stride() const { return (first.live.size() + 7) / 8; }
  std::size_t bytes() const;

  // Reads columns id, sequence, first_step, steps, live, allocated, live_bits, allocated_bits; nothing when
  // the blobs have not the sizes that `heads` and steps ask for.
  static std::optional<OccupancyRun> from_row(const Statement& row, std::size_t heads);

  // Advances `state` from the run's step `step - 1` to its step `step`, 1 <= step < steps.
  void advance(OccupancyState& state, std::int64_t step, std::int32_t page_slots) const;
};

inline constexpr const char* kOccupancyRunColumns =
    "id, sequence, first_step, steps, live, allocated, live_bits, allocated_bits";

// Builds the run of one sequence, state by state.
class OccupancyRunBuilder {
 public:
  OccupancyRunBuilder(std::int64_t id, std::int64_t sequence, std::int64_t step, const OccupancyState& state);
  // False when the state does not follow the last one in the run's terms, or the run is full.
  bool append(std::int64_t step, const OccupancyState& state, std::int32_t page_slots);
  const OccupancyRun& run() const { return run_; }

 private:
  bool use_page_bits(std::int32_t page_slots, const OccupancyState& state);
  OccupancyRun run_;
  OccupancyState last_;
};

// The blob of a full state: little-endian 32-bit numbers.
Blob to_blob(std::span<const std::int32_t> slots);

}  // namespace profiling
