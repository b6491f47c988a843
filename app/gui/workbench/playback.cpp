#include "app/gui/workbench/playback.hpp"

#include <algorithm>
#include <cmath>

#include "app/view/run_curves.hpp"

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
    const double rate = view::processing_rate(run, sequence, static_cast<std::int32_t>(position_));
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

}  // namespace app::gui
