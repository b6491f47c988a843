// The motion of one push through the window: for a third of a second after a single step forward the window
// lens shows how the new token enters, the oldest one leaves and its slot is reused.
//
// Pure arithmetic on a clock that the caller reads. Only a step by hand moves; playing, decoding and jumps
// show the next state at once.
#pragma once

#include <algorithm>
#include <cstdint>

namespace app::view {

class PushMotion {
 public:
  static constexpr double kSeconds = 0.35;

  // Once per frame, with the position shown. `alone`: nothing else changes the position by itself.
  void update(std::uint64_t run_id, std::int32_t s, bool alone, double now) {
    const bool stepped = run_id == run_id_ && s == s_ + 1 && s_ >= 0;
    if (run_id != run_id_ || s != s_) moving_ = stepped && alone;
    if (stepped && moving_ && s != s_) started_ = now;
    run_id_ = run_id;
    s_ = s;
    share_ = moving_ ? std::clamp((now - started_) / kSeconds, 0.0, 1.0) : 1.0;
    moving_ = moving_ && share_ < 1;
  }

  bool moving() const { return moving_; }
  // 0 to 1, quick at first: how far everything has moved. 1 at rest.
  double progress() const { return 1 - (1 - share_) * (1 - share_); }

 private:
  std::uint64_t run_id_ = 0;
  std::int32_t s_ = -1;
  bool moving_ = false;
  double started_ = 0;
  double share_ = 1;
};

}  // namespace app::view
