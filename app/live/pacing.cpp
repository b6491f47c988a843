#include "app/live/pacing.hpp"

#include <algorithm>

namespace app::live {

namespace {

constexpr double kSlowestPace = 0.01;  // tokens per second: below, Pause is meant

}  // namespace

void Pacing::begin(bool paused) {
  paused_ = paused;
  steps_ = 0;
  due_ = {};
}

void Pacing::apply(const Command& command) {
  if (std::holds_alternative<Pause>(command)) {
    paused_ = true;
    steps_ = 0;
  } else if (std::holds_alternative<Resume>(command)) {
    paused_ = false;
    steps_ = 0;
  } else if (std::holds_alternative<StepOnce>(command)) {
    paused_ = true;
    ++steps_;
  } else if (const auto* set = std::get_if<SetPace>(&command)) {
    const bool limited = set->tokens_per_second > 0;  // false for a NaN too
    pace_ = limited ? std::max(set->tokens_per_second, kSlowestPace) : 0;
    due_ = {};
  }
}

bool Pacing::take_commands() {
  bool any = false;
  while (const auto command = queue_.take_for_run()) {
    apply(*command);
    any = true;
  }
  return any;
}

void Pacing::after_step(bool decoding, const std::stop_token& stop, const std::function<void()>& on_change) {
  bool told_pause = false;
  while (true) {
    if (take_commands() || (paused() && !told_pause)) on_change();
    told_pause = paused();
    if (stop.stop_requested()) return;
    if (paused()) {
      queue_.wait_for_command();
    } else if (decoding && pace_ > 0 && Clock::now() < due_) {
      queue_.wait_until(due_);
    } else {
      break;
    }
  }
  if (steps_ > 0) --steps_;
  if (pace_ > 0)
    due_ =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / pace_));
}

}  // namespace app::live
