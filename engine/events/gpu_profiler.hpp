// What a CUDA backend tells a profiler about the work it launches, and what it gets back.
//
// The backend says on its own thread which operation the next launches belong to; the profiler times them and
// hands over spans when they have become known, some time after their step. Every call is cheap (well under a
// microsecond without a profiler's callbacks) and none waits for the device. Without a profiler (null), or
// where times_kernels() is false, the backend times operations with CUDA events itself. One profiler serves
// one run at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/events.hpp"

namespace engine {

// Span::operation of what is not one of the backend's operations, in GpuRecords only: the session gives each
// a name and an index of its own.
inline constexpr std::int16_t kUnattributed = -1;  // whose operation is not known: never a guess
inline constexpr std::int16_t kWholeGraph = -2;    // one launch of a graph, its kernels not told apart
inline constexpr std::int16_t kProfilerCost = -3;  // time that the profiler itself takes

// GpuScope::bytes: the slots of the cache that attention reads, which cache_bytes() tells afterwards. Not
// known in prefill.
inline constexpr std::int64_t kCacheBytes = -1;

// How a profiler's notices begin that tell of a fall-back: a reader of the run knows them by it.
inline constexpr std::string_view kWithoutCupti = "kernels are timed without CUPTI: ";
inline constexpr std::string_view kDetailedEnded = "detailed profiling ended at step ";
inline constexpr std::string_view kProfilingOff = "profiling is off: ";

// Whose the launches are.
struct GpuScope {
  Step step = 0;  // how many calls of Backend::step() came before this one; -1: a graph is being captured
  Phase phase = Phase::prefill;
  std::int16_t layer = -1;     // as in Span
  std::int16_t operation = 0;  // index into BackendInfo::operations
  std::int64_t bytes = 0;      // that the operation must read and write at least; 0: not known; kCacheBytes
};

// What has become known since the last call.
struct GpuRecords {
  std::vector<Span> spans;           // Span::kernel counts the profiler's own names from 0
  std::vector<std::string> kernels;  // new names; they follow those given before
  std::vector<TrackNamed> tracks;
  std::vector<CounterSample> counters;
  std::vector<RecordsLost> losses;           // those that have grown, with their totals of the run
  std::vector<ParameterChanged> parameters;  // "profile": "off", "light" or "detailed"; "profile_..."
  std::vector<std::string> notices;          // fall-backs, with their reason
};

class GpuProfiler {
 public:
  virtual ~GpuProfiler() = default;

  // --- the session. Times of spans and samples count from `steady_start_ns`.
  virtual void start_run(std::int64_t steady_start_ns) = 0;
  // After each step. Never waits; also asks for what the device has completed, so that it comes soon.
  virtual void take(GpuRecords& out) = 0;
  // The last take(): waits until all is known. The device must be idle.
  virtual void finish_run(GpuRecords& out) = 0;

  // --- the backend, on the thread that launches
  // Every launch until leave() belongs to this operation; scopes do not nest. While a graph is captured
  // (step -1) that holds for the graph's nodes, in every launch of it. Of several kernels in a scope the
  // first has its bytes.
  virtual void enter(const GpuScope& scope) = 0;
  virtual void leave() = 0;
  // Around one graph launch; `graph_bytes` as in GpuScope, of the whole graph without the cache's slots.
  virtual void enter_graph(Step step, Phase phase, std::int64_t graph_bytes) = 0;
  virtual void leave_graph() = 0;
  // Bytes of the cache that the attention of each layer read in this step, once they are known; before the
  // session's take() of that step. Used for decode alone: a prefill kernel reads a slot once for many
  // queries.
  virtual void cache_bytes(Step step, std::span<const std::int64_t> by_layer) = 0;
  // `stream`: a CUstream (cudaStream_t) of the current context.
  virtual void name_stream(void* stream, std::string_view name) = 0;

  // False: kernels are not timed here (profiling is off, or not available), the backend does it.
  virtual bool times_kernels() const = 0;
};

}  // namespace engine
