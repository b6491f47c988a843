// What the window asks of the engine: plain values that travel through a queue.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <variant>

#include "app/recorded_run.hpp"
#include "app/run_setup.hpp"
#include "engine/events/events.hpp"

namespace app::live {

// Loading and starting end the run in progress first.
struct LoadModel {
  std::filesystem::path folder;
};

struct StartRun {
  RunOptions options;                       // the prompt's text or file included
  std::shared_ptr<engine::EventSink> sink;  // of this run alone; called on the engine's thread
  std::optional<TraceTarget> trace = {};
  bool paused = false;  // pauses after its first step
};

struct Pause {};
struct Resume {};
struct StepOnce {};  // one step, then pause
struct SetPace {
  double tokens_per_second = 0;  // decode steps per second at most; 0: as fast as it goes
};
struct Stop {};  // ends the run; the model stays
struct Quit {};  // ends the run and the engine's thread

using Command = std::variant<LoadModel, StartRun, Pause, Resume, StepOnce, SetPace, Stop, Quit>;

}  // namespace app::live
