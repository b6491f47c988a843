#include "profiling/gate_stream.hpp"

#include <algorithm>

#include "profiling/byte_codec.hpp"
#include "profiling/gate_row.hpp"
#include "profiling/half_float.hpp"

namespace profiling {
namespace {

// Heads whose rows are read side by side, so that what is written stays within a cache line.
constexpr std::size_t kTile = 16;

void append(Blob& blob, BlobView more) {
  blob.insert(blob.end(), more.begin(), more.end());
}

void unpack_logits(const std::uint8_t* halves, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = float_from_half(static_cast<std::uint16_t>(halves[2 * i] | (halves[2 * i + 1] << 8)));
  }
}

void unpack_bits(const std::uint8_t* bits, std::size_t count, std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = (bits[i / 8] >> (i % 8)) & 1u;
}

// [rows, columns] to [columns, rows].
template <typename Value>
void transpose(const Value* in, std::size_t rows, std::size_t columns, Value* out) {
  for (std::size_t first = 0; first < rows; first += kTile) {
    const std::size_t last = std::min(rows, first + kTile);
    for (std::size_t column = 0; column < columns; ++column) {
      for (std::size_t row = first; row < last; ++row) out[column * rows + row] = in[row * columns + column];
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
      tails_(db.prepare(fmt::format(
          "SELECT {} FROM gate_tails WHERE sequence = ? AND first + count > ? ORDER BY id LIMIT 1",
          kGateTailColumns))) {}

engine::Error GateStream::damaged(std::int64_t sequence, std::int64_t position) const {
  return engine::bad_input("trace '{}': damaged (gates of sequence {} at position {} are missing)",
                           db_.trace(), sequence, position);
}

void GateStream::refresh() {
  for (auto& [sequence, group] : groups_) group.no_more_chunks = false;
}

// The rows of all layers of one run of tokens stand together. False: there are no more chunks.
engine::Result<bool> GateStream::read_chunks(std::int64_t sequence, Group& group) {
  logits_.clear();
  marked_.clear();
  chunks_.bind(sequence, group.last_chunk, run_.shape.layers);
  std::int32_t layer = 0;
  while (chunks_.step()) {
    const auto row = gate_row(chunks_, run_, db_.trace(), true);
    if (!row) return row.error();
    if (layer == 0) {
      group.first = row->first;
      group.count = row->count;
      group.taken = 0;
    }
    if (row->layer != layer || row->first != group.first || row->count != group.count) {
      return damaged(sequence, group.first);
    }
    append(logits_, row->logits);  // grows with what the file really holds
    append(marked_, row->marked);
    group.last_chunk = chunks_.integer(6);
    ++layer;
  }
  if (const auto status = chunks_.status(); !status) return status.error();
  chunks_.reset();
  if (layer == 0) return false;
  if (layer != run_.shape.layers) return damaged(sequence, group.first);
  unpack(group);
  group.taken = std::min(group.tail_columns, group.count);
  group.tail_columns -= group.taken;
  return true;
}

// The first tail that reaches beyond `position`. By position and not by id: ids of deleted tails come again.
engine::Result<bool> GateStream::read_tail(std::int64_t sequence, std::int64_t position, Group& group) {
  tails_.bind(sequence, position);
  const bool found = tails_.step();
  if (found) {
    const auto row = gate_row(tails_, run_, db_.trace(), true);
    if (!row) return row.error();
    group.first = row->first;
    group.count = row->count;
    group.taken = 0;
    group.tail_columns += row->count;
    logits_.assign(row->logits.begin(), row->logits.end());
    marked_.assign(row->marked.begin(), row->marked.end());
    unpack(group);
  }
  if (const auto status = tails_.status(); !status) return status.error();
  tails_.reset();
  return found;
}

// A tile of rows is converted in file order, which is SIMD's affair, and then turned into columns.
void GateStream::unpack(Group& group) const {
  const auto count = static_cast<std::size_t>(group.count);
  const std::size_t stride = bit_bytes(count);
  group.logits.resize(heads_ * count);
  group.marked.resize(heads_ * count);
  std::vector<float> logits(kTile * count);
  std::vector<std::uint8_t> marked(kTile * count);
  for (std::size_t first = 0; first < heads_; first += kTile) {
    const std::size_t rows = std::min(kTile, heads_ - first);
    for (std::size_t row = 0; row < rows; ++row) {
      unpack_logits(logits_.data() + 2 * (first + row) * count, count, logits.data() + row * count);
      unpack_bits(marked_.data() + (first + row) * stride, count, marked.data() + row * count);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t to = i * heads_ + first;
      for (std::size_t row = 0; row < rows; ++row) {
        group.logits[to + row] = logits[row * count + i];
        group.marked[to + row] = marked[row * count + i];
      }
    }
  }
}

// Leaves the group at `position`; columns before it fill a jump and belong to no pass.
engine::Status GateStream::skip_to(std::int64_t sequence, std::int64_t position, Group& group) {
  while (group.taken == group.count || group.first + group.taken != position) {
    if (group.taken < group.count && group.first <= position) {
      group.taken = std::min(position - group.first, group.count);
      continue;
    }
    if (group.taken < group.count) return damaged(sequence, position);
    if (!group.no_more_chunks) {
      const auto chunks = read_chunks(sequence, group);
      if (!chunks) return chunks.error();
      if (*chunks) continue;
      group.no_more_chunks = true;
    }
    const auto tail = read_tail(sequence, position, group);
    if (!tail) return tail.error();
    if (!*tail || group.first > position) return damaged(sequence, position);
  }
  return {};
}

engine::Result<engine::GatesDecided> GateStream::take(const EventLogEntry& pass) {
  if (pass.first_position < 0 || pass.count < 0 || pass.first_position > INT32_MAX ||
      pass.count > INT32_MAX) {
    return damaged(pass.sequence, pass.first_position);
  }
  engine::GatesDecided gates;
  gates.sequence = static_cast<engine::SequenceId>(pass.sequence);
  gates.first_position = static_cast<std::int32_t>(pass.first_position);
  gates.count = static_cast<std::int32_t>(pass.count);
  gates.step = pass.step;
  Group& group = groups_[pass.sequence];
  for (std::int64_t done = 0;
       done < pass.count;) {  // [columns, heads]: grows with what the file really holds
    auto status = skip_to(pass.sequence, pass.first_position + done, group);
    if (!status) return status.error();
    const std::int64_t columns = std::min(pass.count - done, group.count - group.taken);
    const auto from = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(group.taken) * heads_);
    const auto cells = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(columns) * heads_);
    gates.logits.insert(gates.logits.end(), group.logits.begin() + from, group.logits.begin() + from + cells);
    gates.marked.insert(gates.marked.end(), group.marked.begin() + from, group.marked.begin() + from + cells);
    group.taken += columns;
    done += columns;
  }
  if (pass.count > 1) {
    const auto count = static_cast<std::size_t>(pass.count);
    const auto logits = std::move(gates.logits);
    const auto marked = std::move(gates.marked);
    gates.logits.resize(logits.size());
    gates.marked.resize(marked.size());
    transpose(logits.data(), count, heads_, gates.logits.data());
    transpose(marked.data(), count, heads_, gates.marked.data());
  }
  return gates;
}

}  // namespace profiling
