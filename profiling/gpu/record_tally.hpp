// Between a backend and its profiler: counts what the profiler hands over, so that a measurement can tell how
// much of a sample was recorded and attributed. Passes everything on. The launching thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/events/gpu_profiler.hpp"

namespace profiling {

// Of one run.
struct RecordCounts {
  std::int64_t kernels = 0;       // with copies and sets; of which `unattributed` have no operation
  std::int64_t graphs = 0;        // recorded as a whole
  std::int64_t unattributed = 0;  // of both
  std::int64_t untimed = 0;       // in neither
  std::int64_t missing_nodes = 0;
  std::int64_t dropped = 0;                      // by CUPTI
  std::map<engine::Step, std::int64_t> of_step;  // kernels and graphs, where the step is known
  std::string notice;                            // the last fall-back's, with its reason

  // Of what ran on the device and is known of; 0 where nothing is.
  double attributed_fraction() const;
  std::int64_t least_per_step() const;
  std::int64_t most_per_step() const;
};

class RecordTally final : public engine::GpuProfiler {
 public:
  explicit RecordTally(engine::GpuProfiler& profiler) : profiler_(profiler) {}

  const RecordCounts& counts() const { return counts_; }  // complete after finish_run()

  void start_run(std::int64_t steady_start_ns) override;
  void take(engine::GpuRecords& out) override;
  void finish_run(engine::GpuRecords& out) override;

  void enter(const engine::GpuScope& scope) override { profiler_.enter(scope); }
  void leave() override { profiler_.leave(); }
  void enter_graph(engine::Step step, engine::Phase phase, std::int64_t graph_bytes) override {
    profiler_.enter_graph(step, phase, graph_bytes);
  }
  void leave_graph() override { profiler_.leave_graph(); }
  void cache_bytes(engine::Step step, std::span<const std::int64_t> by_layer) override {
    profiler_.cache_bytes(step, by_layer);
  }
  void name_stream(void* stream, std::string_view name) override { profiler_.name_stream(stream, name); }
  bool times_kernels() const override { return profiler_.times_kernels(); }

 private:
  void count(const engine::GpuRecords& records);

  engine::GpuProfiler& profiler_;
  RecordCounts counts_;
};

}  // namespace profiling
