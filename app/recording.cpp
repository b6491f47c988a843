#include "app/recording.hpp"

#include <utility>

namespace app {

Recording::Recording(profiling::TraceWriter* trace, engine::EventSink* also, std::vector<std::string> notices,
                     std::function<void(const engine::Error&)> on_trace_error,
                     std::function<void(const profiling::RecordingCost&)> on_cost)
    : trace_(trace),
      also_(also),
      own_notices_(std::move(notices)),
      notices_(own_notices_),
      on_trace_error_(std::move(on_trace_error)),
      on_cost_(std::move(on_cost)) {}

void Recording::on_event(engine::Event event) {
  if (const auto* started = std::get_if<engine::RunStarted>(&event)) {
    run_ = *started;
    forward(std::move(event));
    for (const std::string& text : own_notices_) forward(engine::Notice{text});
    return;
  }
  if (const auto* notice = std::get_if<engine::Notice>(&event)) notices_.push_back(notice->text);
  if (const auto* lost = std::get_if<engine::RecordsLost>(&event)) losses_[lost->what] = *lost;
  forward(std::move(event));
}

std::vector<std::string> Recording::losses() const {
  std::vector<std::string> texts;
  for (const auto& [what, lost] : losses_) texts.push_back(std::to_string(lost.count) + " " + lost.meaning);
  return texts;
}

void Recording::forward(engine::Event event) {
  const bool to_trace = trace_takes_events();
  const bool step = to_trace && on_cost_ && std::holds_alternative<engine::StepFinished>(event);
  if (also_ == nullptr) {
    if (to_trace) trace_->on_event(std::move(event));
  } else {
    if (to_trace) trace_->on_event(event);
    also_->on_event(std::move(event));
  }
  if (step) on_cost_(trace_->cost());
}

bool Recording::trace_takes_events() {
  if (trace_ == nullptr || trace_error_) return false;
  trace_error_ = trace_->error();
  if (!trace_error_) return true;
  on_trace_error_(*trace_error_);
  if (also_ != nullptr) also_->on_event(engine::Notice{"the trace ends here: " + trace_error_->message});
  return false;
}

}  // namespace app
