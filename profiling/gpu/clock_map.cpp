#include "profiling/gpu/clock_map.hpp"

#include <limits>

namespace profiling {

void ClockMap::follow(const Clock& steady, const Clock& theirs, int rounds) {
  const std::uint64_t now = steady();
  const std::uint64_t taken = taken_ns_.load();
  if (taken != 0 && now - taken < kPeriodNs) return;
  std::uint64_t narrowest = std::numeric_limits<std::uint64_t>::max();
  std::int64_t offset = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t before = steady();
    const std::uint64_t reading = theirs();
    const std::uint64_t after = steady();
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    offset = static_cast<std::int64_t>(before + narrowest / 2 - reading);
  }
  offset_ns_ = offset;
  taken_ns_ = now;
}

}  // namespace profiling
