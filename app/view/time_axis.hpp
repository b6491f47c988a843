// Navigation along time: zooming at a point, moving, and the ticks of the axis. Times are nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/view/timeline.hpp"

namespace app::view {

inline constexpr std::int64_t kShortestView = 200;  // ns: a fifth of the shortest kernel there is

// `range` with its length times `factor`, where `at` stays in place; never beyond `limits`.
TimeRange zoom_at(TimeRange range, double factor, std::int64_t at, TimeRange limits);
// Moved without a change of length, as far as `limits` allow.
TimeRange move_by(TimeRange range, std::int64_t ns, TimeRange limits);

struct TimeTick {
  float x = 0;       // pixels from the left edge of the view
  std::string text;  // "180 µs", counted from `origin`
};
// Round times at least `gap` pixels apart.
std::vector<TimeTick> time_ticks(const TimelineView& view, std::int64_t origin, float gap);

}  // namespace app::view
