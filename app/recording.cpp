#include "app/recording.hpp"

#include <utility>

namespace app {

Recording::Recording(profiling::TraceWriter& trace, std::vector<std::string> notices,
                     std::function<void(const engine::Error&)> on_trace_error)
    : trace_(trace),
      own_notices_(std::move(notices)),
      notices_(own_notices_),
      on_trace_error_(std::move(on_trace_error)) {}

void Recording::on_event(engine::Event event) {
  if (const auto* started = std::get_if<engine::RunStarted>(&event)) {
    run_ = *started;
    forward(std::move(event));
    for (const std::string& text : own_notices_) forward(engine::Notice{text});
    return;
  }
  if (const auto* notice = std::get_if<engine::Notice>(&event)) notices_.push_back(notice->text);
  forward(std::move(event));
}

void Recording::forward(engine::Event event) {
  if (trace_error_) return;
  trace_error_ = trace_.error();
  if (trace_error_) {
    on_trace_error_(*trace_error_);
  } else {
    trace_.on_event(std::move(event));
  }
}

}  // namespace app
