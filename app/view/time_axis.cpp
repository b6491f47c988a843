#include "app/view/time_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/view/format.hpp"

namespace app::view {

namespace {

constexpr std::int64_t kMaxTicks = 512;

// 1, 2 or 5 times a power of ten, at least `least`.
std::int64_t round_step(double least) {
  constexpr std::int64_t kLargestPower = 100'000'000'000'000'000;
  std::int64_t power = 1;
  while (static_cast<double>(power) * 10 < least && power < kLargestPower) power *= 10;
  for (const std::int64_t factor : {1, 2, 5}) {
    if (static_cast<double>(power * factor) >= least) return power * factor;
  }
  return power * 10;
}

struct Unit {
  std::int64_t ns;
  const char* name;
};

// The largest unit in which the farthest tick is at least one.
Unit unit_for(std::int64_t farthest) {
  for (const Unit unit : {Unit{1'000'000'000, "s"}, Unit{1'000'000, "ms"}, Unit{1'000, "\u00b5s"}}) {
    if (farthest >= unit.ns) return unit;
  }
  return {1, "ns"};
}

}  // namespace

TimeRange zoom_at(TimeRange range, double factor, std::int64_t at, TimeRange limits) {
  const auto length = static_cast<double>(range.end_ns - range.begin_ns);
  const double longest =
      std::max<double>(kShortestView, static_cast<double>(limits.end_ns - limits.begin_ns));
  const double wanted = std::clamp(length * factor, static_cast<double>(kShortestView), longest);
  const double before = length > 0 ? static_cast<double>(at - range.begin_ns) / length : 0.5;
  const std::int64_t begin = at - std::llround(before * wanted);
  return move_by({begin, begin + std::llround(wanted)}, 0, limits);
}

TimeRange move_by(TimeRange range, std::int64_t ns, TimeRange limits) {
  const std::int64_t length = range.end_ns - range.begin_ns;
  const std::int64_t last = std::max(limits.begin_ns, limits.end_ns - length);
  const std::int64_t begin = std::clamp(range.begin_ns + ns, limits.begin_ns, last);
  return {begin, begin + length};
}

std::vector<TimeTick> time_ticks(const TimelineView& view, std::int64_t origin, float gap) {
  std::vector<TimeTick> ticks;
  const std::int64_t length = view.times.end_ns - view.times.begin_ns;
  if (length <= 0 || !(view.width > 0) || !(gap > 0)) return ticks;
  const std::int64_t step = round_step(static_cast<double>(length) * static_cast<double>(gap / view.width));
  const std::int64_t first = view.times.begin_ns - origin, last = view.times.end_ns - origin;
  const Unit unit = unit_for(std::max(std::abs(first), std::abs(last)));
  const double per_step = static_cast<double>(step) / static_cast<double>(unit.ns);
  const int decimals = per_step >= 1 ? 0 : static_cast<int>(std::ceil(-std::log10(per_step) - 1e-9));
  std::int64_t at = first / step * step;
  if (at < first) at += step;
  for (; at <= last && static_cast<std::int64_t>(ticks.size()) < kMaxTicks; at += step) {
    const double value = static_cast<double>(at) / static_cast<double>(unit.ns);
    ticks.push_back({view.x_of(origin + at), fmt::format("{}{:.{}f}{}{}", value < 0 ? "\u2212" : "",
                                                         std::abs(value), decimals, kThinSpace, unit.name)});
  }
  return ticks;
}

}  // namespace app::view
