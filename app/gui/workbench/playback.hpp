// Moves through a recorded run at the speed at which it ran, or a multiple of it.
#pragma once

#include <cstdint>

#include "app/view/run_snapshot.hpp"

namespace app::gui {

class Playback {
 public:
  static constexpr double kSlowest = 0.25;
  static constexpr double kFastest = 16;

  bool playing() const { return playing_; }
  double speed() const { return speed_; }
  void set_speed(double speed);
  void play(std::int32_t from);
  void stop() { playing_ = false; }

  // Where it is after `seconds` more of the wall clock; stops at the last of `positions`.
  std::int32_t advance(double seconds, const view::RunSnapshot& run, const view::SequenceView& sequence,
                       std::int32_t positions);

 private:
  bool playing_ = false;
  double speed_ = 1;
  double position_ = 0;
};

}  // namespace app::gui
