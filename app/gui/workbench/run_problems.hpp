// What goes wrong with a trace or with the engine, as lines for people: what happened and what to do. Each
// problem is told once, when it comes.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/live/live_status.hpp"
#include "app/live/trace_source.hpp"

namespace app::gui {

struct Problem {
  bool is_error = false;  // else a warning
  std::string text;
  bool cpu_helps = false;  // a GPU failed
};

class RunProblems {
 public:
  void watch_live(const live::LiveStatus& live);
  // `refused`: something else is shown and stays.
  void watch_trace(const live::TraceStatus& trace, bool refused);
  // Another trace is opened, perhaps with the same problem.
  void forget_trace() { trace_.reset(); }
  std::vector<Problem> take() { return std::exchange(found_, {}); }

 private:
  struct Seen {
    std::optional<std::string> error, trace_error;
    std::int64_t run = 0;
  };
  Seen live_;
  std::optional<std::string> trace_;
  std::vector<Problem> found_;
};

// The line for a trace that ended with this reason.
std::string trace_problem(const std::string& reason, bool refused);

}  // namespace app::gui
