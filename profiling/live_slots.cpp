#include "profiling/live_slots.hpp"

#include <algorithm>

#include "profiling/byte_codec.hpp"
#include "profiling/closed_form.hpp"
#include "profiling/decisions.hpp"
#include "profiling/sequences.hpp"

namespace profiling {
namespace {

// 1 GB; a model of 1,008 heads at 131,072 positions needs half of it.
constexpr std::int64_t kMostValues = 1 << 28;

struct Range {
  const SequenceRecord& record;
  std::int32_t first;
  std::int32_t count;
};

engine::Result<std::vector<std::int32_t>> from_closed_form(const Database& db, const engine::RunStarted& run,
                                                           const Sequences& sequences, const Range& range) {
  const auto marked = read_marked(db, run, sequences, range.record);
  if (!marked) return marked.error();
  const auto count = static_cast<std::size_t>(range.count);
  std::vector<std::int32_t> live(marked->size() * count);
  for (std::size_t head = 0; head < marked->size(); ++head) {
    live_slots((*marked)[head], run.window, range.first, std::span(live).subspan(head * count, count));
  }
  return live;
}

// The steps at which each head lost a token, up to `last_step`.
engine::Status read_evicted_steps(const Database& db, const engine::RunStarted& run, std::int64_t sequence,
                                  std::int64_t last_step, std::vector<std::vector<std::int64_t>>& heads) {
  Statement rows =
      db.prepare("SELECT step, tokens FROM raw_evictions WHERE sequence = ? AND step <= ? ORDER BY id");
  rows.bind(sequence, last_step);
  while (rows.step()) {
    const BlobView tokens = rows.blob(1);
    for (std::size_t at = 0; at + 8 <= tokens.size(); at += 8) {
      const auto layer = static_cast<std::int32_t>(get_u16(tokens, at));
      const auto head = static_cast<std::int32_t>(get_u16(tokens, at + 2));
      if (layer >= run.shape.layers || head >= run.shape.kv_heads) {
        return engine::bad_input("trace '{}': damaged (eviction in layer {}, KV head {})", db.trace(), layer,
                                 head);
      }
      heads[static_cast<std::size_t>(layer * run.shape.kv_heads + head)].push_back(rows.integer(0));
    }
  }
  return rows.status();
}

engine::Result<std::vector<std::int32_t>> from_evictions(const Database& db, const engine::RunStarted& run,
                                                         const Sequences& sequences, const Range& range) {
  std::vector<std::vector<std::int64_t>> heads(static_cast<std::size_t>(run.shape.layers) *
                                               static_cast<std::size_t>(run.shape.kv_heads));
  std::vector<std::int64_t> steps(static_cast<std::size_t>(range.first + range.count), -1);  // by position
  auto line = sequences.lineage(range.record, 0);
  std::reverse(line.begin(), line.end());
  for (const auto& [record, before] : line) {
    const auto end = static_cast<std::int32_t>(
        std::min<std::int64_t>({before, record->end_position(), range.first + range.count}));
    for (std::int32_t s = record->first_position; s < end; ++s)
      steps[static_cast<std::size_t>(s)] = record->step_of(s);
    const bool inherited = record != &range.record;
    const std::int64_t last_step = inherited ? record->step_of(before - 1) : INT64_MAX;
    if (auto status = read_evicted_steps(db, run, record->sequence, last_step, heads); !status)
      return status.error();
  }
  const auto count = static_cast<std::size_t>(range.count);
  std::vector<std::int32_t> live(heads.size() * count);
  for (std::size_t head = 0; head < heads.size(); ++head) {
    std::sort(heads[head].begin(), heads[head].end());
    for (std::size_t i = 0; i < count; ++i) {
      const auto s = static_cast<std::size_t>(range.first) + i;
      const auto evicted =
          std::upper_bound(heads[head].begin(), heads[head].end(), steps[s]) - heads[head].begin();
      live[head * count + i] = static_cast<std::int32_t>(static_cast<std::int64_t>(s) + 1 - evicted);
    }
  }
  return live;
}

}  // namespace

engine::Result<std::vector<std::int32_t>> sequence_live_slots(const Database& db,
                                                              const engine::RunStarted& run,
                                                              std::int64_t sequence, std::int32_t first,
                                                              std::int32_t count) {
  const auto sequences = Sequences::read(db);
  if (!sequences) return sequences.error();
  const SequenceRecord* record = sequences->find(sequence);
  if (record == nullptr) return engine::bad_input("trace '{}': has no sequence {}", db.trace(), sequence);
  const std::int32_t end = record->processed_end();
  if (first < 0 || count < 0 || std::int64_t{first} + count > end) {
    return engine::bad_input("trace '{}': {} positions from {} of sequence {}, which has processed {}",
                             db.trace(), count, first, sequence, end);
  }
  const std::int64_t heads = std::int64_t{run.shape.layers} * run.shape.kv_heads;
  if (heads * count > kMostValues) {
    return engine::bad_input("trace '{}': live slots of {} heads at {} positions are more than {} values",
                             db.trace(), heads, count, kMostValues);
  }
  const Range range{*record, first, count};
  return run.closed_form ? from_closed_form(db, run, *sequences, range)
                         : from_evictions(db, run, *sequences, range);
}

}  // namespace profiling
