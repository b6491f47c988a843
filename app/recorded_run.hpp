// A run from start to end with its events in a trace, in a sink, or in both.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/run_setup.hpp"
#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "engine/session/session.hpp"
#include "profiling/recording_cost.hpp"

namespace app {

struct TraceTarget {
  std::filesystem::path path;
  bool overwrite = false;  // replace an existing trace
};

struct RecordedRun {
  std::optional<engine::RunStarted> run;       // absent where it never began
  std::optional<engine::RunSummary> summary;   // absent where session_error is there
  std::optional<engine::Error> session_error;  // interrupted, or why it failed
  std::optional<engine::Error> trace_error;    // why the trace is not complete
  std::vector<std::string> notices;            // the set-up's and the run's
  profiling::RecordingCost cost;               // of the trace; nothing where there is none
  std::optional<double> profile_cost_percent;  // of decoding's speed, where it was measured
};

// Runs on the calling thread. `also` (may be null) gets every event too. `on_trace_error` is called at once
// when the trace cannot be written on; the run goes on unless the caller stops it. `on_cost` hears after
// every step what recording has cost so far. An error is returned, and nothing has been run, where the trace
// cannot be created. A trace in which nothing happened is removed.
engine::Result<RecordedRun> run_recorded(
    const LoadedModel& loaded, const RunSetup& setup, const std::optional<TraceTarget>& target,
    engine::EventSink* also, const std::function<void(const engine::Error&)>& on_trace_error,
    const std::function<void(const profiling::RecordingCost&)>& on_cost = {});

}  // namespace app
