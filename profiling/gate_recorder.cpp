#include "profiling/gate_recorder.hpp"

#include <algorithm>

#include "profiling/byte_codec.hpp"
#include "profiling/half_float.hpp"
#include "profiling/schema.hpp"

namespace profiling {
namespace {

// No policy judges ahead; a jump longer than this is a mistake that would fill the file with undecided
// tokens.
constexpr std::int32_t kMaxGap = 1 << 20;

}  // namespace

GateRecorder::GateRecorder(const Database& db)
    : insert_chunk_(db.prepare("INSERT INTO gate_chunks(sequence, layer, first, count, marked, logits) "
                               "VALUES(?, ?, ?, ?, ?, ?)")),
      insert_tail_(
          db.prepare("INSERT INTO gate_tails(sequence, first, count, marked, logits) VALUES(?, ?, ?, ?, ?)")),
      delete_tails_(db.prepare("DELETE FROM gate_tails WHERE sequence = ?")) {}

void GateRecorder::set_shape(std::int32_t layers, std::int32_t kv_heads) {
  layers_ = layers;
  kv_heads_ = kv_heads;
}

engine::Status GateRecorder::add(const engine::GatesDecided& gates) {
  const auto count = static_cast<std::size_t>(std::max(gates.count, 0));
  if (heads() == 0 || gates.logits.size() != heads() * count || gates.marked.size() != heads() * count) {
    return engine::failed(
        "gates of sequence {} at step {}: {} logits and {} decisions, expected {} x {} of each",
        gates.sequence, gates.step, gates.logits.size(), gates.marked.size(), heads(), count);
  }
  Pending& pending = pending_[gates.sequence];
  if (const auto status = pad_to(gates.sequence, pending, gates.first_position); !status) return status;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t head = 0; head < heads(); ++head) {
      pending.logits.push_back(half_from_float(gates.logits[head * count + i]));
      pending.marked.push_back(gates.marked[head * count + i] != 0 ? 1 : 0);
    }
    if (++pending.count == kGateChunkTokens) {
      if (const auto status = write_chunk(gates.sequence, pending); !status) return status;
    }
  }
  return {};
}

engine::Status GateRecorder::pad_to(engine::SequenceId sequence, Pending& pending, std::int32_t position) {
  const std::int64_t next = std::int64_t{pending.first} + pending.count;
  const bool begun = pending.count > 0 || pending.first > 0;
  if (!begun || position < next) {
    if (const auto status = write_chunk(sequence, pending); !status) return status;
    pending.first = position;
    return {};
  }
  if (position - next > kMaxGap) {
    return engine::failed("gates of sequence {} jump from position {} to {}", sequence, next, position);
  }
  for (std::int64_t at = next; at < position; ++at) {
    pending.logits.insert(pending.logits.end(), heads(), kHalfNan);
    pending.marked.insert(pending.marked.end(), heads(), 0);
    if (++pending.count < kGateChunkTokens) continue;
    if (const auto status = write_chunk(sequence, pending); !status) return status;
  }
  return {};
}

// Fills the scratch blobs with [heads, n] logits and decisions of the tokens from `from` on.
void GateRecorder::gather(const Pending& pending, std::size_t first_head, std::size_t rows,
                          std::int32_t from) {
  const auto begin = static_cast<std::size_t>(from);
  const auto n = static_cast<std::size_t>(pending.count) - begin;
  const std::size_t stride = bit_bytes(n);
  logits_.resize(rows * n * 2);
  marked_.assign(rows * stride, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::span<std::uint8_t> bits = std::span(marked_).subspan(row * stride, stride);
    std::uint8_t* out = logits_.data() + row * n * 2;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t cell = (begin + i) * heads() + first_head + row;
      *out++ = static_cast<std::uint8_t>(pending.logits[cell] & 0xff);
      *out++ = static_cast<std::uint8_t>(pending.logits[cell] >> 8);
      if (pending.marked[cell] != 0) set_bit(bits, i);
    }
  }
}

engine::Status GateRecorder::write_chunk(engine::SequenceId sequence, Pending& pending) {
  if (pending.count == 0) return {};
  if (pending.in_tails > 0) {  // first, so that the chunks take the pages this frees
    if (const auto status = delete_tails_.bind(sequence).run(); !status) return status;
  }
  for (std::int32_t layer = 0; layer < layers_; ++layer) {
    gather(pending, static_cast<std::size_t>(layer) * static_cast<std::size_t>(kv_heads_),
           static_cast<std::size_t>(kv_heads_), 0);
    insert_chunk_.bind(sequence, layer, pending.first, pending.count, marked_, logits_);
    if (const auto status = insert_chunk_.run(); !status) return status;
  }
  pending.first += pending.count;
  pending.count = pending.in_tails = 0;
  pending.logits.clear();
  pending.marked.clear();
  return {};
}

engine::Status GateRecorder::write_tails() {
  for (auto& [sequence, pending] : pending_) {
    const std::int32_t fresh = pending.count - pending.in_tails;
    if (fresh == 0) continue;
    gather(pending, 0, heads(), pending.in_tails);
    insert_tail_.bind(sequence, pending.first + pending.in_tails, fresh, marked_, logits_);
    if (const auto status = insert_tail_.run(); !status) return status;
    pending.in_tails = pending.count;
  }
  return {};
}

engine::Status GateRecorder::write_chunks() {
  for (auto& [sequence, pending] : pending_) {
    if (const auto status = write_chunk(sequence, pending); !status) return status;
  }
  return {};
}

}  // namespace profiling
