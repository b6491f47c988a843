// The 64-bit id under which launches are made: it says by itself whose they are, so that a record needs no
// table to be understood. Layout, from the top: step 28, layer + 1 12, operation 16, phase 1, serial 7 bits.
#pragma once

#include <cstdint>

#include "engine/events/gpu_profiler.hpp"

namespace profiling {

struct LaunchScope {
  engine::Step step = -1;
  engine::Phase phase = engine::Phase::prefill;
  std::int16_t layer = -1;
  std::int16_t operation = engine::kUnattributed;
};

// `serial` tells apart scopes that are alike, as the chunks of one prefill step are.
constexpr std::uint64_t scope_id(const LaunchScope& scope, unsigned serial) {
  const auto bits = [](std::int64_t value, unsigned count) {
    return static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << count) - 1);
  };
  return bits(scope.step, 28) << 36 | bits(scope.layer + 1, 12) << 24 | bits(scope.operation, 16) << 8 |
         bits(static_cast<std::int64_t>(scope.phase), 1) << 7 | bits(serial, 7);
}

constexpr LaunchScope scope_of(std::uint64_t id) {
  return {static_cast<engine::Step>(id >> 36), static_cast<engine::Phase>(id >> 7 & 1),
          static_cast<std::int16_t>(static_cast<std::int16_t>(id >> 24 & 0xfff) - 1),
          static_cast<std::int16_t>(static_cast<std::uint16_t>(id >> 8 & 0xffff))};
}

}  // namespace profiling
