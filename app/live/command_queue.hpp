// Commands on their way to the engine's thread. post() never waits for work in progress; what ends a run
// reaches it at once, through its stop token, also where the engine asks for no commands (calibration, a long
// prefill step).
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>

#include "app/live/live_command.hpp"

namespace app::live {

bool ends_run(const Command& command);

class CommandQueue {
 public:
  void post(Command command);  // any thread

  // Engine's thread.
  Command wait();                         // the next command
  std::optional<Command> take_for_run();  // the next one, unless it is for after the run
  std::stop_token begin_run();            // stopped already where a later command ends the run
  void end_run();
  // Until a command comes, or `due`.
  void wait_for_command();
  void wait_until(std::chrono::steady_clock::time_point due);

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Command> commands_;
  std::optional<std::stop_source> run_;
};

}  // namespace app::live
