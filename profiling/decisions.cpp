#include "profiling/decisions.hpp"

#include <algorithm>

#include "profiling/gate_row.hpp"
#include "profiling/schema.hpp"

namespace profiling {
namespace {

// Decisions come without holes. A hole longer than a chunk would let a small hostile file ask for much
// memory.
constexpr std::int64_t kLongestHole = kGateChunkTokens;

engine::Status read_own(const Database& db, const engine::RunStarted& run, std::int64_t sequence,
                        std::int64_t before, const char* sql, std::vector<PositionBits>& heads) {
  Statement rows = db.prepare(sql);
  rows.bind(sequence);
  while (rows.step()) {
    const auto gates = gate_row(rows, run, db.trace(), false);
    if (!gates) return gates.error();
    const std::int32_t first_head = std::max(gates->layer, 0) * run.shape.kv_heads;
    const auto count =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(before - gates->first, 0, gates->count));
    for (std::int32_t row = 0; row < gates->rows; ++row) {
      PositionBits& bits = heads[static_cast<std::size_t>(first_head + row)];
      if (gates->first > bits.size() + kLongestHole) {
        return engine::bad_input("trace '{}': damaged (gates of sequence {} jump from position {} to {})",
                                 db.trace(), sequence, bits.size(), gates->first);
      }
      bits.assign(gates->first, gates->marked_row(row), count);
    }
  }
  return rows.status();
}

}  // namespace

engine::Result<std::vector<PositionBits>> read_marked(const Database& db, const engine::RunStarted& run,
                                                      const Sequences& sequences,
                                                      const SequenceRecord& record) {
  static const std::string chunks =
      fmt::format("SELECT {} FROM gate_chunks WHERE sequence = ? ORDER BY id", kGateChunkColumns);
  static const std::string tails =
      fmt::format("SELECT {} FROM gate_tails WHERE sequence = ? ORDER BY id", kGateTailColumns);
  std::vector<PositionBits> heads(static_cast<std::size_t>(run.shape.layers) *
                                  static_cast<std::size_t>(run.shape.kv_heads));
  auto line = sequences.lineage(record, run.lag);
  std::reverse(line.begin(), line.end());  // nearer relatives overwrite
  for (const auto& ancestor : line) {
    for (const std::string* sql : {&chunks, &tails}) {
      const auto status = read_own(db, run, ancestor.record->sequence, ancestor.before, sql->c_str(), heads);
      if (!status) return status.error();
    }
  }
  return heads;
}

}  // namespace profiling
