// The cache of all sequences together, step by step, from the recorded states: the sums that statistics and
// counters show. A sequence holds its last state until it changes.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/events/events.hpp"
#include "profiling/occupancy_stream.hpp"
#include "profiling/sequences.hpp"

namespace profiling {

struct CacheTotals {
  std::int64_t step = -1;
  std::vector<std::int64_t> live;       // [layers * kv_heads], all sequences
  std::vector<std::int64_t> allocated;  // the same
  std::int64_t live_slots = 0;
  std::int64_t allocated_slots = 0;
  std::int64_t tokens = 0;  // processed by then, all sequences: dense slots of one head

  std::int64_t dense_slots() const { return tokens * static_cast<std::int64_t>(live.size()); }
};

class CacheWalk {
 public:
  CacheWalk(const Database& db, const engine::RunStarted& run, const Sequences& sequences);

  // The totals after the next step that changed any sequence's cache; null after the last.
  engine::Result<const CacheTotals*> next();

 private:
  struct Walker {
    const SequenceRecord* record = nullptr;
    OccupancyState state;   // counted in the totals
    OccupancyState coming;  // the next one
    std::int64_t coming_step = 0;
    bool more = false;
    std::size_t own_tokens = 0;  // processed by the last step seen
    bool counted = false;
  };
  engine::Status read_coming(Walker& walker);
  void apply(Walker& walker);

  OccupancyStream stream_;
  std::vector<Walker> walkers_;
  CacheTotals totals_;
  bool started_ = false;
};

}  // namespace profiling
