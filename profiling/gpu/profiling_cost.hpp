// What profiling costs: the speed of decoding in each mode, measured on the run at hand.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "profiling/gpu/profile_mode.hpp"

namespace profiling {

struct ProfilingCost {
  double off_tokens_per_s = 0;
  double light_tokens_per_s = 0;
  double detailed_tokens_per_s = 0;

  double tokens_per_s(ProfileMode mode) const;
  // Of the unprofiled speed, lost; negative where noise exceeds the cost.
  double percent(ProfileMode mode) const;
};

inline constexpr int kCostTokens = 30;      // decoded per mode and round
inline constexpr int kCostRounds = 3;       // the median counts: clocks and caches settle in the first
inline constexpr double kCostWarning = 25;  // percent, above which a user is warned

// `set_mode` switches the profiler between steps, `decode` decodes this many tokens and returns the seconds
// it took. Modes alternate, each round from another one on, so that a drift of the clocks meets all of them.
// Ends in `after`.
engine::Result<ProfilingCost> measure_profiling_cost(
    const std::function<engine::Status(ProfileMode)>& set_mode,
    const std::function<engine::Result<double>(int tokens)>& decode, ProfileMode after,
    int tokens = kCostTokens, int rounds = kCostRounds);

// As parameters of a run: "profile_cost_percent" of `mode`, "profile_off_tokens_per_s", ...
std::vector<engine::ParameterChanged> cost_parameters(const ProfilingCost& cost, ProfileMode mode,
                                                      engine::Step step);
// "detailed profiling slows decoding down by 31 %: ..."; empty below kCostWarning.
std::string cost_warning(const ProfilingCost& cost, ProfileMode mode);

}  // namespace profiling
