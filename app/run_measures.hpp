// What is measured beside a run on a GPU, so that its trace can be read: how fast the GPU copies memory, and
// what profiling costs.
//
// The copy rate is measured before the run, once per process and GPU, and told with its start. The cost is
// measured after the run, on caches of its own at the run's depth, so that switching modes cannot disturb
// what was recorded; until then the run's end is held back. The engine's thread.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "app/run_setup.hpp"
#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "profiling/gpu/kernel_profiler.hpp"
#include "profiling/gpu/profiling_cost.hpp"
#include "profiling/gpu/record_tally.hpp"

namespace app {

// What a sample of `tokens` decoded tokens in the profiler's mode left: `chains` sequences at `depth` tokens,
// under the policy that `options` name, with or without graphs as its backend's options say. An error where
// nothing was recorded or profiling fell back.
engine::Result<profiling::RecordCounts> measure_attribution(const std::shared_ptr<const engine::Model>& model,
                                                            const engine::SessionOptions& options,
                                                            profiling::KernelProfiler& profiler,
                                                            std::int32_t depth, int tokens,
                                                            std::stop_token stop);

// Decode speed in each mode of the profiler: `chains` sequences at `depth` tokens, under the policy that
// `options` name. A sample that recorded nothing, or in which
// the profiler fell back, makes it an error. The profiler ends in the mode it had.
engine::Result<profiling::ProfilingCost> measure_profiling(const std::shared_ptr<const engine::Model>& model,
                                                           const engine::SessionOptions& options,
                                                           profiling::KernelProfiler& profiler,
                                                           std::int32_t depth, int rounds,
                                                           std::stop_token stop);

// Between a run and its sink.
class RunMeasures : public engine::EventSink {
 public:
  // Measures the copy rate if the run may come to a GPU; that takes a moment the first time.
  RunMeasures(engine::EventSink& next, const engine::BackendOptions& backend);
  // Tells the end if nobody has.
  ~RunMeasures() override { release(); }

  void on_event(engine::Event event) override;

  // After a run that ended by itself, its backend gone. What cannot be measured becomes a notice.
  void measure_cost(const LoadedModel& loaded, const RunSetup& setup, profiling::KernelProfiler* profiler);
  // The cost, if it was measured, in percent of the unprofiled speed.
  std::optional<double> cost_percent() const { return cost_percent_; }

  // Tells the run's end.
  void release();

 private:
  engine::EventSink& next_;
  std::optional<double> copy_bytes_per_second_;
  bool on_gpu_ = false;
  engine::Step last_step_ = 0;
  std::optional<engine::RunFinished> end_;
  std::optional<double> cost_percent_;
};

}  // namespace app
