// The profiler that the engine tells of its launches: attributes what CUPTI records and samples the GPUs'
// counters, on a thread of its own.
//
// The launching thread only pushes ids and takes what is ready. The collector asks for complete records every
// 50 ms and after every step, but not within 20 ms of the last time, since asking holds up a launch that
// comes meanwhile; it attributes them and keeps the spans for the next take(). While it is off it asks for
// nothing and samples nothing. What is kept is bounded; what is lost is counted. When detailed profiling
// stops being able to time kernels, or is about to (see kMaxNodeRecords), it falls back to light between two
// steps and says so.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "engine/events/gpu_profiler.hpp"
#include "profiling/gpu/activity_source.hpp"
#include "profiling/gpu/attributor.hpp"
#include "profiling/gpu/gpu_counters.hpp"
#include "profiling/gpu/profile_mode.hpp"

namespace profiling {

struct KernelProfilerOptions {
  ProfileMode mode = ProfileMode::light;
  std::string nvml_library;  // empty: the driver's
  // CUPTI 13.0 has been seen to lose all time stamps after some 25 million kernels inside graphs.
  std::int64_t max_node_records = 20'000'000;
};

class KernelProfiler final : public engine::GpuProfiler {
 public:
  // `source` outlives it. Null: nothing is timed here, for `reason`, and only counters are sampled.
  KernelProfiler(ActivitySource* source, const KernelProfilerOptions& options, std::string reason = {});
  // Leaves the source recording: a run after this one would otherwise be another session to CUPTI, and in
  // those 13.0 gives launches of graphs wrong correlation ids.
  ~KernelProfiler() override;

  // Between two steps, with the device idle; on the launching thread, as all that follows.
  engine::Status set_mode(ProfileMode mode);
  ProfileMode mode() const { return mode_; }
  const std::string& reason() const { return reason_; }  // why nothing is timed; empty: it is

  void start_run(std::int64_t steady_start_ns) override;
  void take(engine::GpuRecords& out) override;
  void finish_run(engine::GpuRecords& out) override;
  void enter(const engine::GpuScope& scope) override;
  void leave() override;
  void enter_graph(engine::Step step, engine::Phase phase, std::int64_t graph_bytes) override;
  void leave_graph() override { leave(); }
  void cache_bytes(engine::Step step, std::span<const std::int64_t> by_layer) override;
  void name_stream(void* stream, std::string_view name) override;
  bool times_kernels() const override { return source_ != nullptr && mode_ != ProfileMode::off; }

 private:
  static constexpr std::chrono::milliseconds kTick{50};
  static constexpr std::chrono::milliseconds kBetweenFlushes{20};
  static constexpr std::size_t kMaxSpans = 1 << 19;    // kept for take(), 30 MB
  static constexpr std::size_t kCacheSteps = 1024;     // steps whose cache_bytes() are kept
  static constexpr std::int64_t kUntimedAllowed = 32;  // a few at the start are no reason to give up
  static constexpr std::chrono::seconds kLongestEnding{10};

  enum class Open : std::uint8_t { none, launch, capture };

  // Collector's thread.
  void collect(const std::stop_token& stop);
  void gather(bool forced);
  void account(const SourceCounts& counts);
  void end_attribution();
  void publish(std::vector<engine::Span>&& spans);
  void sample();

  // Launching thread.
  void open_launch(const LaunchScope& scope, std::int64_t bytes);
  void say_beginning(engine::GpuRecords& out);
  void fall_back(engine::GpuRecords& out);
  void resolve_cache_bytes(std::vector<engine::Span>& spans) const;

  ActivitySource* const source_;
  const KernelProfilerOptions options_;
  const std::string reason_;

  // Launching thread.
  ProfileMode mode_ = ProfileMode::off;
  std::atomic<bool> paused_{false};  // off because it was asked to be
  Open open_ = Open::none;
  unsigned serial_ = 0;
  std::atomic<std::uint64_t> scopes_{0};  // opened and closed around launches; odd: one is open
  engine::Step step_ = 0;
  bool beginning_told_ = false;
  std::string failure_;  // the last switch of modes failed; told with the next take()
  std::vector<engine::TrackNamed> streams_;
  std::map<engine::Step, std::vector<std::int64_t>> cache_bytes_;

  ScopeBytes bytes_;
  GraphNodeMap no_nodes_;  // where there is no source

  // Held while records are attributed, and taken before mutex_; take() does not need it.
  std::mutex attribution_mutex_;
  Attributor attributor_;
  SourceCounts before_;  // counts when they were last accounted

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable_any finished_;
  engine::GpuRecords ready_;      // for the next take()
  std::int64_t origin_ns_ = 0;    // steady clock
  std::size_t devices_told_ = 0;  // of this run, to the next take()
  bool running_ = false;
  bool woken_ = false;
  bool finishing_ = false;
  std::string fall_back_reason_;  // not empty: detailed profiling should end

  GpuCounters counters_;                           // the collector's
  std::vector<Activity> batch_;                    // the collector's
  std::uint64_t scopes_at_flush_ = 1;              // the collector's
  std::chrono::steady_clock::time_point flushed_;  // the collector's
  std::jthread thread_;                            // from the first run on; last: it uses the rest
};

}  // namespace profiling
