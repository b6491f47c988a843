// Pausing, single steps and a slower pace: what happens to the engine's thread between two steps of a run.
// Engine's thread only.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "app/live/command_queue.hpp"

namespace app::live {

class Pacing {
 public:
  explicit Pacing(CommandQueue& queue) : queue_(queue) {}

  // A new run: paused after its first step, or not.
  void begin(bool paused);
  // Takes the commands that have come and waits as they ask; returns when the next step may begin or the run
  // is to stop. `on_change` is called when paused() or pace() changes.
  void after_step(bool decoding, const std::stop_token& stop, const std::function<void()>& on_change);
  // A command that came while nothing ran: a pace is kept for the next run, the rest has no object.
  void apply(const Command& command);

  bool paused() const { return paused_ && steps_ == 0; }
  double pace() const { return pace_; }

 private:
  using Clock = std::chrono::steady_clock;
  bool take_commands();

  CommandQueue& queue_;
  bool paused_ = false;
  int steps_ = 0;  // to go in spite of paused_
  double pace_ = 0;
  Clock::time_point due_{};  // earliest begin of the next step
};

}  // namespace app::live
