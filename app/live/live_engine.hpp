// The engine on a thread of its own, driven by command values.
//
// post() puts a command into a queue and returns; what comes of it shows in status(), and the run's events go
// to the sink and the trace that StartRun names. Neither ever waits for work in progress. The model stays
// loaded between runs, so that a run with another policy, threshold or window is another StartRun with the
// same prompt. Whatever fails (a folder without weights, a prompt that is too long, an unknown policy, a full
// disk) becomes an error in the status or a notice in the stream; a model that cannot be loaded leaves the
// one before in its place. Any thread may call every function; the destructor ends the run in progress and
// waits for its step.
#pragma once

#include <functional>
#include <memory>

#include "app/live/live_command.hpp"
#include "app/live/live_status.hpp"

namespace app::live {

class LiveEngine {
 public:
  // `on_change` (may be empty) is called on the engine's thread after every change of the status: it wakes
  // the window and must return at once.
  explicit LiveEngine(std::function<void()> on_change = {});
  ~LiveEngine();
  LiveEngine(const LiveEngine&) = delete;
  LiveEngine& operator=(const LiveEngine&) = delete;

  void post(Command command);
  std::shared_ptr<const LiveStatus> status() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace app::live
