// Where the engine is: an immutable value that any thread may read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "engine/checkpoint/model.hpp"
#include "engine/events/result.hpp"
#include "engine/session/session.hpp"
#include "profiling/recording_cost.hpp"

namespace app::live {

enum class LiveState {
  empty,      // no model
  loading,    // a model: `stage` and `share` tell how far
  ready,      // a model is there, no run
  starting,   // a run: prompt encoded, threshold calibrated, backend set up
  prefill,    // `done` of `total` prompt tokens
  decoding,   // `done` of `total` tokens per chain
  measuring,  // the run has ended and what profiling it costs is measured
  stopping,   // a stop was asked for; the step in progress ends first
};

struct LiveStatus {
  LiveState state = LiveState::empty;
  bool paused = false;
  double pace = 0;  // tokens per second at most; 0: unlimited

  std::shared_ptr<const engine::Model> model;  // null: none
  std::filesystem::path folder;                // of the model loaded, or being loaded
  std::string stage;                           // loading: what is read; starting, measuring: what takes long
  double share = 0;                            // loading: 0 to 1

  std::int64_t run = 0;  // counts the runs asked for; the rest is about the latest one
  std::int32_t done = 0;
  std::int32_t total = 0;
  std::filesystem::path trace;                        // empty: not recorded
  std::optional<profiling::RecordingCost> cost;       // of recording it so far, then in all; absent: no trace
  std::shared_ptr<const engine::RunSummary> summary;  // once it has ended well, or was stopped in decode
  std::string finish_reason;                          // "eos", "length", "interrupted"; empty while it runs
  std::optional<engine::Error> error;                 // why the last load or run failed
  bool gpu_failed = false;                            // because of the GPU: the CPU could run it
  std::optional<engine::Error> trace_error;           // why its trace is not complete

  bool running() const { return state >= LiveState::starting; }
};

}  // namespace app::live
