// Turns Ctrl-C (SIGINT) and SIGTERM into a stop token while long work runs.
//
// The first signal asks the work to stop at its next step; a second one ends the program at once. A signal
// that the parent process chose to ignore stays ignored. At most one object exists at a time: signal handlers
// are the one place that needs file-static state.
#pragma once

#include <memory>
#include <stop_token>

namespace app {

class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  std::stop_token token() const;
  void request_stop();       // stops the work for another reason than a signal
  bool interrupted() const;  // a signal came

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace app
