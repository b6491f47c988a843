// A trace in numbers, gathered once for both `stats` forms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/events/events.hpp"
#include "profiling/cache_walk.hpp"
#include "profiling/gpu_stats.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

struct PhaseStats {
  std::int64_t steps = 0;
  std::int64_t tokens = 0;
  double seconds = 0;
  double tokens_per_s() const { return seconds > 0 ? static_cast<double>(tokens) / seconds : 0; }
};

struct SequenceStats {
  std::int64_t sequence = 0, parent = -1, fork_position = 0;
  std::int64_t prompt = 0, generated = 0, processed = 0;  // tokens; processed counts inherited positions too
};

struct OperationStats {
  std::string name;
  std::int64_t calls = 0;
  double seconds = 0;
  double share = 0;  // of all operations' time
};

// One measure against the dense model over all positions that have it.
struct QualityStats {
  std::string measure;
  std::int64_t positions = 0;
  double mean = 0;
  double highest = 0;
};

struct DecisionCounts {
  std::int64_t judged = 0, marked = 0;
  double fraction() const {
    return judged > 0 ? static_cast<double>(marked) / static_cast<double>(judged) : 0;
  }
};

struct TraceStats {
  engine::RunStarted run;
  std::optional<std::int64_t> end_ns;  // absent: the recording did not end
  std::string end_reason;
  std::vector<SequenceStats> sequences;
  PhaseStats prefill, decode;
  std::int64_t kv_reads = 0;
  std::optional<CacheTotals> end, peak;    // absent: no cache state was recorded
  std::vector<DecisionCounts> decisions;   // [layers * kv_heads]
  std::vector<OperationStats> operations;  // longest first
  std::vector<QualityStats> quality;       // by name; empty: not measured
  GpuStats gpu;
  std::vector<std::pair<std::string, std::int64_t>> dropped;
  std::vector<std::pair<std::string, std::int64_t>> profiler;  // recorder_* of meta without the prefix
  std::int64_t file_bytes = 0;

  std::int64_t prompt_tokens() const;
  std::int64_t generated_tokens() const;
  DecisionCounts all_decisions() const;
};

engine::Result<TraceStats> gather_stats(const std::filesystem::path& trace);

// Dense slots / live slots; 1 for an empty cache.
double compression_ratio(std::int64_t dense_slots, std::int64_t live_slots);

}  // namespace profiling
