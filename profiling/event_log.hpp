// The order of the recorded events, so that replay emits them as they came although each kind has its own
// table.
//
// One byte per event (its kind), followed for some kinds by varints: gates: sequence, first position relative
// to the end of the sequence's previous gates, count, step relative to the previous gates; occupancy:
// sequence; spans, kernels and counters: how many rows. Everything else of an event is the next row of its
// table.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "profiling/sqlite_db.hpp"

namespace profiling {

enum class EventKind : std::uint8_t {  // stored: never renumber
  run_started = 0,
  sequence_started = 1,
  token_added = 2,
  gates_decided = 3,
  tokens_evicted = 4,
  occupancy_changed = 5,
  step_finished = 6,
  spans_recorded = 7,
  parameter_changed = 8,
  quality_measured = 9,
  notice = 10,
  run_finished = 11,
  // Since schema version 2:
  kernels_named = 12,
  track_named = 13,
  counters_sampled = 14,
  records_lost = 15,
};

struct EventLogEntry {
  EventKind kind = EventKind::notice;
  std::int64_t sequence = 0;        // gates, occupancy
  std::int64_t first_position = 0;  // gates
  std::int64_t count = 0;           // gates: positions; spans, kernels, counters: rows
  std::int64_t step = 0;            // gates
};

// Encoder and decoder keep the same state: what the relative numbers are relative to.
class EventLogCodec {
 public:
  void encode(const EventLogEntry& entry, Blob& out);
  // Reads the entry at `at` and advances it; false when the bytes are damaged.
  bool decode(BlobView in, std::size_t& at, EventLogEntry& entry);

 private:
  std::unordered_map<std::int64_t, std::int64_t> next_position_;  // by sequence
  std::int64_t gates_step_ = 0;
};

}  // namespace profiling
