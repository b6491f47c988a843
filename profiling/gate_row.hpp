// One row of gate_chunks or gate_tails, its blobs checked against the run's shape.
#pragma once

#include <cstdint>

#include "engine/events/events.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

// A row of gate_chunks (layer >= 0) or gate_tails (layer -1: all layers), checked.
struct GateRow {
  std::int64_t sequence = 0;
  std::int32_t layer = -1;
  std::int32_t first = 0;
  std::int32_t count = 0;
  std::int32_t rows = 0;  // heads in it: the layer's, or all
  BlobView marked;        // [rows, ceil(count / 8)], valid until the statement's next step
  BlobView logits;        // [rows, count] halves

  BlobView marked_row(std::int32_t row) const;
  bool is_marked(std::int32_t row, std::int32_t i) const;
  float logit(std::int32_t row, std::int32_t i) const;
};

inline constexpr const char* kGateChunkColumns = "sequence, layer, first, count, marked, logits";
inline constexpr const char* kGateTailColumns = "sequence, -1, first, count, marked, logits";

// Reads the columns above. `with_logits`: false leaves the logits' pages untouched.
engine::Result<GateRow> gate_row(const Statement& row, const engine::RunStarted& run,
                                 const std::string& trace, bool with_logits);

}  // namespace profiling
