// Times what a CUDA backend launches, or tells a profiler that does.
//
// Without a profiler that times kernels: CUDA events around every operation of a step that is launched kernel
// by kernel, or around the one launch of a graph. GPU times become host times through an event recorded on
// the idle stream as the step begins. Every scope is an NVTX range as well, so that Nsight shows the same
// names. The backend's thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend/cuda_operations.hpp"
#include "engine/events/events.hpp"
#include "engine/events/gpu_profiler.hpp"
#include "kernels/cuda/runtime.hpp"

namespace engine {

class CudaTimer {
 public:
  CudaTimer(const kernels::cuda::Stream& stream, int gpu, bool spans, GpuProfiler* profiler);

  void begin_step(Step step, Phase phase);
  // Spans of the step, relative to `clock_start_ns`. The stream has been synchronised.
  void take(std::int64_t clock_start_ns, std::vector<Span>& spans);

  // While a graph is rehearsed its operations are all the graph's own, and while it is recorded they belong
  // to no step: neither is timed one by one.
  enum class Graphing : std::uint8_t { no, rehearsal, recording };
  void set_graphing(Graphing graphing) { graphing_ = graphing; }

  // Everything launched while it lives belongs to the operation; scopes do not nest. `making_room`: only a
  // profiler hears of it, because it is seldom and no part of what a step computes.
  class Scope {
   public:
    Scope(CudaTimer& timer, CudaOperation operation, std::int32_t layer, std::int64_t bytes,
          bool making_room = false);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    CudaTimer& timer_;
    bool timed_;
  };

  // The launch of a recorded graph.
  class GraphScope {
   public:
    GraphScope(CudaTimer& timer, std::int64_t bytes);
    ~GraphScope();
    GraphScope(const GraphScope&) = delete;
    GraphScope& operator=(const GraphScope&) = delete;

   private:
    CudaTimer& timer_;
    bool timed_;
  };

 private:
  struct Timed {
    Span span;
    std::size_t start = 0;  // indices into events_
    std::size_t end = 0;
  };
  bool uses_events() const;
  std::size_t record();
  void start_timing(CudaOperation operation, std::int32_t layer, std::int64_t bytes);
  void end_timing();

  const kernels::cuda::Stream& stream_;
  int gpu_;
  bool spans_;
  GpuProfiler* profiler_;
  Graphing graphing_ = Graphing::no;
  Step step_ = 0;
  Phase phase_ = Phase::prefill;
  std::int64_t base_ns_ = 0;                  // steady clock, when event 0 was recorded
  std::vector<kernels::cuda::Event> events_;  // event 0: the step's beginning
  std::size_t events_used_ = 0;
  std::vector<Timed> timed_;
};

}  // namespace engine
