// Runs the measurements of `dmscope bench`: rounds over all points, so that a machine whose speed drifts
// favours none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/bench/bench_options.hpp"
#include "app/bench/series.hpp"
#include "app/bench/trace_size.hpp"
#include "app/progress.hpp"
#include "engine/bench/memory.hpp"
#include "engine/bench/read_ceiling.hpp"
#include "engine/bench/speed.hpp"
#include "profiling/gpu/kernel_profiler.hpp"
#include "profiling/gpu/profiling_cost.hpp"
#include "profiling/gpu/record_tally.hpp"

namespace app {

// One decode measurement: a depth, a batch, a fraction evicted.
struct DecodePoint {
  std::int32_t depth = 0;
  std::int32_t chains = 1;
  double evicted = 0;
  Series tokens_per_second;
  Series ceiling_share;          // (weight + KV bytes of a step) * steps/s / ceiling of the same round
  double bytes_per_step = 0;     // of the last sample
  double compression_ratio = 1;  // of the last sample
};

struct PrefillPoint {
  std::int32_t tokens = 0;
  Series tokens_per_second;
};

// What evicting brought at one point of the grid.
struct SpeedUp {
  std::int32_t depth = 0;
  std::int32_t chains = 1;
  double measured = 0;  // tokens/s evicted over dense, medians
  double roofline = 0;  // bytes per step dense over evicted
};

// How much of a detailed profile's kernels could be attributed, in the first samples of the process.
struct AttributionPoint {
  bool graph = true;  // a decode step is one graph launch
  profiling::RecordCounts counts;
};

struct BenchResults {
  std::string model_name;
  std::string weight_dtype;
  std::int64_t weight_bytes = 0;
  std::string device;
  int threads = 0;
  Series ceiling_bytes_per_second;  // of the device that decodes
  std::string ceiling_variant;      // how the last sample was read fastest
  std::vector<DecodePoint> decode;
  std::vector<PrefillPoint> prefill;
  std::int32_t first_token_prompt = 0;
  Series first_token_seconds;
  Series plain_tokens_per_second;
  Series recorded_tokens_per_second;
  Series recording_cost;  // 1 - recorded / plain, per pair
  std::optional<engine::MemorySample> memory;
  std::optional<TraceSize> trace;
  std::int32_t profiling_depth = 0;
  std::vector<AttributionPoint> attribution;
  std::optional<profiling::ProfilingCost> profiling;
  bool interrupted = false;
  std::string error;  // that ended the measurements early; empty without one

  bool measured_anything() const;

  // Of the points that were measured with and without eviction.
  std::vector<SpeedUp> speed_ups() const;
};

class BenchRun {
 public:
  BenchRun(const BenchOptions& options, std::shared_ptr<const engine::Model> model,
           engine::BackendOptions backend, Progress& progress, std::stop_token stop);

  // Fills `results()` as it goes; what was measured before an error or an interruption stays.
  engine::Status run();
  BenchResults& results() { return results_; }

 private:
  using Measure = std::function<engine::Status()>;

  engine::Status prepare();
  engine::Status round(std::int32_t number);
  engine::Status measure_ceiling();
  engine::Status measure_decode(DecodePoint& point);
  engine::Status measure_prefill(PrefillPoint& point);
  engine::Status measure_first_token();
  engine::Status measure_recording_pair(bool recorded_first);
  engine::Status measure_trace();
  engine::Status attach_profiler();
  engine::Status measure_attribution();
  engine::Status measure_profiling();
  bool needs_ceiling() const { return !results_.decode.empty(); }
  bool on_gpu() const { return dense_->info().backend == "cuda"; }

  const BenchOptions& options_;
  std::shared_ptr<const engine::Model> model_;
  engine::BackendOptions backend_;
  Progress& progress_;
  std::stop_token stop_;
  std::unique_ptr<profiling::KernelProfiler> profiler_;  // null: kernels are not profiled
  std::unique_ptr<engine::ReadCeiling> ceiling_;
  std::unique_ptr<engine::SpeedBench> dense_;
  std::unique_ptr<engine::SpeedBench> evicting_;
  BenchResults results_;
};

}  // namespace app
