// What a trace knows of its GPUs, in numbers: kernels with the bandwidth they reached, counters, profiling.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "profiling/sqlite_db.hpp"

namespace profiling {

struct KernelStats {
  std::string name;
  std::int64_t device = 0;
  std::string operation;
  std::int64_t calls = 0;
  double seconds = 0;
  std::optional<std::int64_t> bytes;    // that its calls had to move at least, where known
  std::optional<double> gb_per_s;       // over the calls whose bytes are known
  std::optional<double> ceiling_share;  // of the copy ceiling, where one was measured
};

struct CounterStats {
  std::int64_t device = 0;
  std::string track, unit;
  std::int64_t samples = 0;
  double mean = 0, lowest = 0, highest = 0;
};

struct GpuStats {
  std::vector<KernelStats> kernels;    // longest first
  std::vector<CounterStats> counters;  // by device and track
  std::string profile;                 // how the run was profiled at its end; empty: not on a GPU
  std::optional<double> cost_percent;  // of the unprofiled speed, where it was measured
  std::optional<double> copy_ceiling_gb_per_s;
};

engine::Result<GpuStats> gather_gpu_stats(const Database& db);

// Adds the keys "kernels", "counters" and "profile" (docs/trace-format.md).
void add_gpu_json(const GpuStats& stats, nlohmann::ordered_json& json);
std::string gpu_lines(const GpuStats& stats);

}  // namespace profiling
