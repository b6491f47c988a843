#include "app/gui/workbench/run_problems.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace app::gui {

namespace {

struct Advice {
  std::string_view sign;  // in the reason
  std::string_view text;
};

constexpr std::array kTraceAdvice{
    Advice{"is newer than", "Update DMScope to open it."},
    Advice{"cut off", "Copy the file again from where it was recorded."},
    Advice{"not an SQLite file", "Choose a file that 'dmscope record' or this window has recorded."},
    Advice{"expected a trace", "Choose a file that 'dmscope record' or this window has recorded."},
    Advice{"no such file", "It may have been moved or renamed: choose it again."},
    Advice{"a folder", "A model's folder is opened with 'Run a model'."},
    Advice{"was deleted", "What had been read stays on the screen."},
    Advice{"was replaced", "What had been read stays on the screen; open the file again to see the new one."},
    Advice{"empty file", "If a recording has just begun, open it again in a moment."},
    Advice{"damaged", "Copy the file again from where it was recorded."},
};

std::optional<std::string> message(const std::optional<engine::Error>& error) {
  return error ? std::optional(error->message) : std::nullopt;
}

}  // namespace

std::string trace_problem(const std::string& reason, bool refused) {
  std::string text = reason + ".";
  for (const Advice& advice : kTraceAdvice) {
    if (reason.find(advice.sign) == std::string::npos) continue;
    text += fmt::format(" {}", advice.text);
    break;
  }
  return refused ? text + " What was shown before stays." : text;
}

void RunProblems::watch_live(const live::LiveStatus& live) {
  const Seen now{message(live.error), message(live.trace_error), live.run};
  const bool another_run = now.run != live_.run;
  if (now.error && (another_run || now.error != live_.error)) {
    const bool gpu = live.gpu_failed && live.model != nullptr;
    // Without a model what failed was loading one.
    found_.push_back({true,
                      live.model != nullptr
                          ? fmt::format("The run failed: {}.", *now.error)
                          : fmt::format("No model was loaded: {}. Expected is a Hugging Face directory "
                                        "with config.json, tokenizer and weights.",
                                        *now.error),
                      gpu});
  }
  if (now.trace_error && (another_run || now.trace_error != live_.trace_error)) {
    found_.push_back(
        {true, fmt::format("The recording is not complete: {}. What was written before is whole; "
                           "the run itself is not affected.",
                           *now.trace_error)});
  }
  live_ = now;
}

void RunProblems::watch_trace(const live::TraceStatus& trace, bool refused) {
  if (refused) {
    if (trace.state == live::TraceState::failed) found_.push_back({true, trace_problem(trace.reason, true)});
    return;
  }
  const bool silent = trace.state == live::TraceState::silent;
  if ((!silent && trace.state != live::TraceState::failed) || trace_ == trace.reason) return;
  trace_ = trace.reason;
  if (silent) {
    found_.push_back({false, fmt::format("Trace: {}. What was written by then is shown.", trace.reason)});
  } else {
    found_.push_back({true, trace_problem(trace.reason, false)});
  }
}

}  // namespace app::gui
