// What a GPU profiler knows, as events of a run: its names and operations are numbered after the run's own.
// The session's thread.
#pragma once

#include <array>
#include <cstdint>

#include "engine/events/events.hpp"
#include "engine/events/gpu_profiler.hpp"

namespace engine {

class ProfilerEvents {
 public:
  ProfilerEvents(GpuProfiler& profiler, EventSink& sink) : profiler_(profiler), sink_(sink) {}

  // Last before the run is told of: names the operations that are the profiler's.
  void complete(RunStarted& run);
  void after_step();
  // Once, with the device idle: everything that is left.
  void finish();

 private:
  void emit(GpuRecords& records);

  GpuProfiler& profiler_;
  EventSink& sink_;
  std::array<std::int16_t, 3> operations_{};  // of kUnattributed, kWholeGraph and kProfilerCost
  std::int16_t first_kernel_ = 0;
};

}  // namespace engine
