// Sums of numbers that a damaged trace may have made absurd: they stop at the largest value.
#pragma once

#include <cstdint>
#include <limits>

namespace app::view {

inline void add_saturating(std::int64_t& sum, std::int64_t value) {
  if (__builtin_add_overflow(sum, value, &sum)) {
    sum = value > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
  }
}

}  // namespace app::view
