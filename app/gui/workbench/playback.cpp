#include "app/gui/workbench/playback.hpp"

#include <algorithm>
#include <cmath>

namespace app::gui {

namespace {

constexpr double kUnknownRate = 30;    // positions per second where the run has no times
constexpr double kLongestFrame = 0.5;  // a window that slept does not jump

}  // namespace

void Playback::set_speed(double speed) {
  speed_ = std::clamp(speed, kSlowest, kFastest);
}

void Playback::play(std::int32_t from) {
  playing_ = true;
  position_ = from;
}

std::int32_t Playback::advance(double seconds, const view::RunSnapshot& run,
                               const view::SequenceView& sequence, std::int32_t positions) {
  double left = std::min(seconds, kLongestFrame) * speed_;
  const double last = std::max(0, positions - 1);
  // Position by position, because prefill and decode differ in speed by orders of magnitude.
  while (left > 0 && position_ < last) {
    const double rate = processing_rate(run, sequence, static_cast<std::int32_t>(position_));
    const double next = std::floor(position_) + 1;
    const double needed = (next - position_) / (rate > 0 ? rate : kUnknownRate);
    if (needed > left) {
      position_ += left * (rate > 0 ? rate : kUnknownRate);
      break;
    }
    left -= needed;
    position_ = next;
  }
  position_ = std::min(position_, last);
  if (position_ >= last) playing_ = false;
  return static_cast<std::int32_t>(position_);
}

double processing_rate(const view::RunSnapshot& run, const view::SequenceView& sequence,
                       std::int32_t position) {
  if (position < 0 || position >= sequence.tokens()) return 0;
  const std::int32_t index = run.step_index(sequence.token(position).step);
  if (index < 0) return 0;
  const view::StepRecord& step = run.step(index);
  const double seconds = static_cast<double>(step.end_ns - step.start_ns) * 1e-9;
  if (seconds <= 0) return 0;
  // In decode a step advances each of the batch's sequences by one; a prefill chunk is of one sequence.
  const double own = step.phase == engine::Phase::decode ? 1 : static_cast<double>(step.tokens);
  return own / seconds;
}

}  // namespace app::gui
