#include "profiling/gate_row.hpp"

#include "profiling/byte_codec.hpp"
#include "profiling/half_float.hpp"
#include "profiling/schema.hpp"

namespace profiling {

BlobView GateRow::marked_row(std::int32_t row) const {
  const std::size_t stride = bit_bytes(static_cast<std::size_t>(count));
  return marked.subspan(static_cast<std::size_t>(row) * stride, stride);
}

bool GateRow::is_marked(std::int32_t row, std::int32_t i) const {
  return get_bit(marked_row(row), static_cast<std::size_t>(i));
}

float GateRow::logit(std::int32_t row, std::int32_t i) const {
  const std::size_t cell =
      static_cast<std::size_t>(row) * static_cast<std::size_t>(count) + static_cast<std::size_t>(i);
  return float_from_half(static_cast<std::uint16_t>(get_u16(logits, 2 * cell)));
}

engine::Result<GateRow> gate_row(const Statement& row, const engine::RunStarted& run,
                                 const std::string& trace, bool with_logits) {
  const std::int64_t layer = row.integer(1), first = row.integer(2), count = row.integer(3);
  GateRow gates{row.integer(0), -1, 0, 0, run.shape.kv_heads, row.blob(4), {}};
  if (with_logits) gates.logits = row.blob(5);
  const bool placed = layer >= -1 && layer < run.shape.layers && first >= 0 && count >= 1 &&
                      count <= kGateChunkTokens && first + count <= INT32_MAX;
  if (layer == -1) gates.rows *= run.shape.layers;
  const auto cells = static_cast<std::size_t>(gates.rows);
  const auto tokens = static_cast<std::size_t>(placed ? count : 0);
  if (!placed || gates.marked.size() != cells * bit_bytes(tokens) ||
      (with_logits && gates.logits.size() != cells * tokens * 2)) {
    return engine::bad_input(
        "trace '{}': damaged (gates of sequence {}, layer {}, positions from {}: {} + {} bytes "
        "for {} tokens)",
        trace, gates.sequence, layer, first, gates.marked.size(), gates.logits.size(), count);
  }
  gates.layer = static_cast<std::int32_t>(layer);
  gates.first = static_cast<std::int32_t>(first);
  gates.count = static_cast<std::int32_t>(count);
  return gates;
}

}  // namespace profiling
