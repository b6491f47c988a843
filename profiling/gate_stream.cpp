#include "profiling/gate_stream.hpp"

#include <algorithm>

#include "profiling/byte_codec.hpp"
#include "profiling/gate_row.hpp"
#include "profiling/half_float.hpp"

namespace profiling {
namespace {

void copy_row(const GateRow& row, std::size_t first_head, std::vector<std::uint16_t>& logits,
              std::vector<std::uint8_t>& marked) {
  const auto count = static_cast<std::size_t>(row.count);
  const std::size_t stride = bit_bytes(count);
  for (std::size_t head = 0; head < static_cast<std::size_t>(row.rows); ++head) {
    const std::size_t to = (first_head + head) * count;
    const BlobView bits = row.marked.subspan(head * stride, stride);
    for (std::size_t i = 0; i < count; ++i) {
      logits[to + i] = static_cast<std::uint16_t>(get_u16(row.logits, 2 * (head * count + i)));
      marked[to + i] = get_bit(bits, i) ? 1 : 0;
    }
  }
}

}  // namespace

GateStream::GateStream(const Database& db, const engine::RunStarted& run)
    : db_(db),
      run_(run),
      heads_(static_cast<std::size_t>(run.shape.layers) * static_cast<std::size_t>(run.shape.kv_heads)),
      chunks_(db.prepare(
          fmt::format("SELECT {}, id FROM gate_chunks WHERE sequence = ? AND id > ? ORDER BY id LIMIT ?",
                      kGateChunkColumns))),
      tails_(db.prepare(
          fmt::format("SELECT {}, id FROM gate_tails WHERE sequence = ? AND id > ? ORDER BY id LIMIT 1",
                      kGateTailColumns))) {}

engine::Error GateStream::damaged(std::int64_t sequence, std::int64_t position) const {
  return engine::bad_input("trace '{}': damaged (gates of sequence {} at position {} are missing)",
                           db_.trace(), sequence, position);
}

// The rows of all layers of one run of tokens stand together. False: there are no more chunks.
engine::Result<bool> GateStream::read_chunks(std::int64_t sequence, Group& group) {
  chunks_.bind(sequence, group.last_chunk, run_.shape.layers);
  std::int32_t layer = 0;
  while (chunks_.step()) {
    const auto row = gate_row(chunks_, run_, db_.trace(), true);
    if (!row) return row.error();
    if (layer == 0) {
      group.first = row->first;
      group.count = row->count;
      group.taken = 0;
      group.logits.clear();
      group.marked.clear();
    }
    if (row->layer != layer || row->first != group.first || row->count != group.count) {
      return damaged(sequence, group.first);
    }
    // Grows with what the file really holds.
    const auto first_head = static_cast<std::size_t>(layer) * static_cast<std::size_t>(run_.shape.kv_heads);
    group.logits.resize((first_head + static_cast<std::size_t>(row->rows)) *
                        static_cast<std::size_t>(row->count));
    group.marked.resize(group.logits.size());
    copy_row(*row, first_head, group.logits, group.marked);
    group.last_chunk = chunks_.integer(6);
    ++layer;
  }
  if (const auto status = chunks_.status(); !status) return status.error();
  chunks_.reset();
  if (layer != 0 && layer != run_.shape.layers) return damaged(sequence, group.first);
  return layer != 0;
}

engine::Result<bool> GateStream::read_tail(std::int64_t sequence, Group& group) {
  tails_.bind(sequence, group.last_tail);
  const bool found = tails_.step();
  if (found) {
    const auto row = gate_row(tails_, run_, db_.trace(), true);
    if (!row) return row.error();
    group.first = row->first;
    group.count = row->count;
    group.taken = 0;
    group.logits.resize(heads_ * static_cast<std::size_t>(row->count));
    group.marked.resize(group.logits.size());
    copy_row(*row, 0, group.logits, group.marked);
    group.last_tail = tails_.integer(6);
  }
  if (const auto status = tails_.status(); !status) return status.error();
  tails_.reset();
  return found;
}

// Leaves the group at `position`; columns before it fill a jump and belong to no pass.
engine::Status GateStream::skip_to(std::int64_t sequence, std::int64_t position, Group& group) {
  while (group.taken == group.count || group.first + group.taken != position) {
    if (group.taken < group.count && group.first <= position) {
      group.taken = std::min(position - group.first, group.count);
      continue;
    }
    if (group.taken < group.count) return damaged(sequence, position);
    const auto chunks = read_chunks(sequence, group);
    if (!chunks) return chunks.error();
    if (*chunks) continue;
    const auto tail = read_tail(sequence, group);
    if (!tail) return tail.error();
    if (!*tail) return damaged(sequence, position);
  }
  return {};
}

engine::Result<engine::GatesDecided> GateStream::take(const EventLogEntry& pass) {
  if (pass.first_position < 0 || pass.count < 0 || pass.first_position > INT32_MAX ||
      pass.count > INT32_MAX) {
    return damaged(pass.sequence, pass.first_position);
  }
  Group& group = groups_[pass.sequence];
  std::vector<std::uint16_t> logits;  // [columns read, heads]: grows with what the file really holds
  std::vector<std::uint8_t> marked;
  for (std::int64_t i = 0; i < pass.count; ++i) {
    if (const auto status = skip_to(pass.sequence, pass.first_position + i, group); !status)
      return status.error();
    for (std::size_t head = 0; head < heads_; ++head) {
      const std::size_t cell =
          head * static_cast<std::size_t>(group.count) + static_cast<std::size_t>(group.taken);
      logits.push_back(group.logits[cell]);
      marked.push_back(group.marked[cell]);
    }
    ++group.taken;
  }
  engine::GatesDecided gates;
  gates.sequence = static_cast<engine::SequenceId>(pass.sequence);
  gates.first_position = static_cast<std::int32_t>(pass.first_position);
  gates.count = static_cast<std::int32_t>(pass.count);
  gates.step = pass.step;
  const auto count = static_cast<std::size_t>(pass.count);
  gates.logits.resize(heads_ * count);
  gates.marked.resize(heads_ * count);
  for (std::size_t head = 0; head < heads_; ++head) {
    for (std::size_t i = 0; i < count; ++i) {
      gates.logits[head * count + i] = float_from_half(logits[i * heads_ + head]);
      gates.marked[head * count + i] = marked[i * heads_ + head];
    }
  }
  return gates;
}

}  // namespace profiling
