#include "profiling/stats.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "profiling/gate_row.hpp"
#include "profiling/read_transaction.hpp"
#include "profiling/saturating.hpp"
#include "profiling/schema.hpp"
#include "profiling/trace_access.hpp"

namespace profiling {
namespace {

engine::Status gather_phases(const Database& db, TraceStats& stats) {
  Statement rows = db.prepare(
      "SELECT phase, count(*), total(tokens), total(duration_ns), total(kv_reads) FROM raw_steps GROUP BY "
      "phase");
  while (rows.step()) {
    PhaseStats& phase = rows.integer(0) == 0 ? stats.prefill : stats.decode;
    phase.steps += rows.integer(1);
    phase.tokens = saturating_add(phase.tokens, rows.integer(2));
    phase.seconds += rows.real(3) * 1e-9;
    stats.kv_reads = saturating_add(stats.kv_reads, rows.integer(4));
  }
  return rows.status();
}

engine::Status gather_sequences(const Database& db, const Sequences& sequences, TraceStats& stats) {
  std::map<std::int64_t, SequenceStats> counts;
  for (const SequenceRecord& record : sequences.all()) {
    counts[record.sequence] = {record.sequence,       record.parent, record.fork_position, 0, 0,
                               record.processed_end()};
  }
  Statement rows = db.prepare("SELECT sequence, phase, count(*) FROM raw_tokens GROUP BY sequence, phase");
  while (rows.step()) {
    SequenceStats& sequence = counts[rows.integer(0)];
    (rows.integer(1) == 0 ? sequence.prompt : sequence.generated) += rows.integer(2);
  }
  for (const auto& [id, sequence] : counts) stats.sequences.push_back(sequence);
  return rows.status();
}

engine::Status gather_cache(const Database& db, const Sequences& sequences, TraceStats& stats) {
  CacheWalk walk(db, stats.run, sequences);
  while (true) {
    const auto totals = walk.next();
    if (!totals) return totals.error();
    if (*totals == nullptr) return {};
    if (!stats.peak || (*totals)->live_slots > stats.peak->live_slots) stats.peak = **totals;
    stats.end = **totals;
  }
}

std::int64_t count_bits(BlobView bits, std::int32_t count) {
  std::int64_t set = 0;
  for (std::size_t byte = 0; byte < bits.size(); ++byte) {
    const std::int32_t left = count - static_cast<std::int32_t>(byte) * 8;
    const unsigned used = left >= 8 ? 0xffu : (1u << left) - 1u;
    set += std::popcount(bits[byte] & used);
  }
  return set;
}

engine::Status gather_decisions(const Database& db, const std::string& sql, TraceStats& stats) {
  Statement rows = db.prepare(sql);
  while (rows.step()) {
    const auto gates = gate_row(rows, stats.run, db.trace(), false);
    if (!gates) return gates.error();
    const std::int32_t first = std::max(gates->layer, 0) * stats.run.shape.kv_heads;
    for (std::int32_t row = 0; row < gates->rows; ++row) {
      DecisionCounts& head = stats.decisions[static_cast<std::size_t>(first + row)];
      head.judged += gates->count;
      head.marked += count_bits(gates->marked_row(row), gates->count);
    }
  }
  return rows.status();
}

engine::Status gather_operations(const Database& db, TraceStats& stats) {
  Statement rows = db.prepare(
      "WITH spans(kind, bytes, ns) AS (" + charged_spans_sql() +
      " UNION ALL SELECT s.kind, s.bytes, s.duration_ns FROM raw_spans s LEFT JOIN span_kinds k ON k.id = "
      "s.kind WHERE k.id IS NULL OR k.device < 0) "
      "SELECT coalesce(o.name, 'operation ' || k.operation, 'unknown'), sum(s.calls), total(s.ns) FROM "
      "(SELECT kind, count(*) AS calls, total(ns) AS ns FROM spans GROUP BY kind) s "
      "LEFT JOIN span_kinds k ON k.id = s.kind LEFT JOIN operation_names o ON o.id = k.operation "
      // Calls that launch, and the profiler's own time, are no operations of the run.
      "WHERE k.id IS NULL OR k.device >= 0 OR k.stream NOT IN (1, 2) GROUP BY 1 ORDER BY 3 DESC");
  double all = 0;
  while (rows.step()) {
    stats.operations.push_back({std::string(rows.text(0)), rows.integer(1), rows.real(2) * 1e-9, 0});
    all += stats.operations.back().seconds;
  }
  for (OperationStats& operation : stats.operations) operation.share = all > 0 ? operation.seconds / all : 0;
  return rows.status();
}

engine::Status gather_quality(const Database& db, TraceStats& stats) {
  Statement rows = db.prepare(
      "SELECT coalesce(s.text, 'unknown'), count(*), avg(q.value), max(q.value) FROM raw_quality q "
      "LEFT JOIN strings s ON s.id = q.measure GROUP BY 1 ORDER BY 1");
  while (rows.step()) {
    stats.quality.push_back({std::string(rows.text(0)), rows.integer(1), rows.real(2), rows.real(3)});
  }
  return rows.status();
}

engine::Status gather_counters(const Database& db, const char* sql,
                               std::vector<std::pair<std::string, std::int64_t>>& counters) {
  Statement rows = db.prepare(sql);
  while (rows.step()) counters.emplace_back(std::string(rows.text(0)), rows.integer(1));
  return rows.status();
}

engine::Status gather_ending(const Database& db, TraceStats& stats) {
  Statement rows = db.prepare(
      "SELECT (SELECT value FROM meta WHERE key = 'end_ns'), "
      "(SELECT value FROM meta WHERE key = 'end_reason')");
  if (rows.step() && !rows.is_null(0)) {
    stats.end_ns = rows.integer(0);
    stats.end_reason = std::string(rows.text(1));
  }
  return rows.status();
}

engine::Status gather(const Database& db, TraceStats& stats) {
  const auto sequences = Sequences::read(db);
  if (!sequences) return sequences.error();
  const std::string chunks = fmt::format("SELECT {} FROM gate_chunks", kGateChunkColumns);
  const std::string tails = fmt::format("SELECT {} FROM gate_tails", kGateTailColumns);
  stats.decisions.resize(static_cast<std::size_t>(stats.run.shape.layers) *
                         static_cast<std::size_t>(stats.run.shape.kv_heads));
  if (auto status = gather_ending(db, stats); !status) return status;
  if (auto status = gather_phases(db, stats); !status) return status;
  if (auto status = gather_sequences(db, *sequences, stats); !status) return status;
  if (auto status = gather_cache(db, *sequences, stats); !status) return status;
  if (auto status = gather_decisions(db, chunks, stats); !status) return status;
  if (auto status = gather_decisions(db, tails, stats); !status) return status;
  if (auto status = gather_operations(db, stats); !status) return status;
  if (auto status = gather_quality(db, stats); !status) return status;
  auto gpu = gather_gpu_stats(db);
  if (!gpu) return gpu.error();
  stats.gpu = std::move(*gpu);
  if (auto status = gather_counters(db, "SELECT what, count FROM drops", stats.dropped); !status)
    return status;
  return gather_counters(db,
                         "SELECT substr(key, 10), value FROM meta WHERE key LIKE 'recorder\\_%' ESCAPE '\\'",
                         stats.profiler);
}

}  // namespace

double compression_ratio(std::int64_t dense_slots, std::int64_t live_slots) {
  return live_slots > 0 ? static_cast<double>(dense_slots) / static_cast<double>(live_slots) : 1;
}

std::int64_t TraceStats::prompt_tokens() const {
  std::int64_t sum = 0;
  for (const SequenceStats& sequence : sequences) sum += sequence.prompt;
  return sum;
}

std::int64_t TraceStats::generated_tokens() const {
  std::int64_t sum = 0;
  for (const SequenceStats& sequence : sequences) sum += sequence.generated;
  return sum;
}

DecisionCounts TraceStats::all_decisions() const {
  DecisionCounts all;
  for (const DecisionCounts& head : decisions) {
    all.judged += head.judged;
    all.marked += head.marked;
  }
  return all;
}

engine::Result<TraceStats> gather_stats(const std::filesystem::path& trace) {
  const auto reader = TraceReader::open(trace);
  if (!reader) return reader.error();
  const Database& db = TraceAccess::database(**reader);
  const ReadTransaction transaction(db);
  if (!transaction.status()) return transaction.status().error();
  TraceStats stats;
  stats.run = (*reader)->run();
  if (const auto status = gather(db, stats); !status) return status.error();
  std::error_code error;
  stats.file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(trace, error));
  return stats;
}

}  // namespace profiling
