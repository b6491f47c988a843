// Reads a trace's events portion by portion: all there are, then what a recording adds.
//
// A follower keeps its place, so that a portion costs what is new in it. Between two portions it holds no
// lock that a writer waits for, except that a recording cannot leave write-ahead mode while a follower is
// open: let go of it once finished() is true. Opening, and every portion, never changes the file. One thread
// at a time; cut, foreign, newer and damaged files are refused with a reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "profiling/recording_cost.hpp"

namespace profiling {

class TraceFollower {
 public:
  static engine::Result<std::unique_ptr<TraceFollower>> open(const std::filesystem::path& path);
  ~TraceFollower();

  // Share of the portion that has been emitted, 0 to 1; false ends the portion, and the follower's work.
  using Progress = std::function<bool(double share)>;

  // Emits to `sink` what was committed since the last portion; true if there was anything. Nothing comes
  // before the run has begun.
  engine::Result<bool> emit_new(engine::EventSink& sink, const Progress& progress = {});

  // As far as it is in the file by now.
  engine::Result<RecordingCost> cost() const;

  // The run's last event has been emitted.
  bool finished() const;

  // A copy had to be made to read the file (a crash left it half way); it does not grow.
  bool reads_copy() const;

  // A write-ahead log is there: the file is being recorded, or its recording was killed.
  bool has_write_ahead_log() const;

 private:
  struct State;
  explicit TraceFollower(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace profiling
