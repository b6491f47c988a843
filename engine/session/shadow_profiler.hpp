// Stands between a profiler and a backend that runs beside the run, as the dense pass does: all that it
// launches counts as one operation of the run's step; a graph whose kernels are not told apart as a graph.
// The session's thread.
#pragma once

#include "engine/events/gpu_profiler.hpp"

namespace engine {

class ShadowProfiler final : public GpuProfiler {
 public:
  ShadowProfiler(GpuProfiler& profiler, std::int16_t operation)
      : profiler_(profiler), operation_(operation) {}

  // What is launched from now on belongs to it.
  void begin_step(Step step) { step_ = step; }

  // The run is told by its own.
  void start_run(std::int64_t) override {}
  void take(GpuRecords&) override {}
  void finish_run(GpuRecords&) override {}

  void enter(const GpuScope& scope) override {
    profiler_.enter({scope.step < 0 ? scope.step : step_, scope.phase, -1, operation_, 0});
  }
  void leave() override { profiler_.leave(); }
  void enter_graph(Step, Phase phase, std::int64_t) override { profiler_.enter_graph(step_, phase, 0); }
  void leave_graph() override { profiler_.leave_graph(); }
  void cache_bytes(Step, std::span<const std::int64_t>) override {}  // of the run's attention alone
  void name_stream(void* stream, std::string_view) override { profiler_.name_stream(stream, "dense pass"); }
  bool times_kernels() const override { return profiler_.times_kernels(); }

 private:
  GpuProfiler& profiler_;
  const std::int16_t operation_;
  Step step_ = 0;
};

}  // namespace engine
