#include "profiling/gpu/profiling_cost.hpp"

#include <algorithm>
#include <array>

namespace profiling {
namespace {

constexpr std::array kModes{ProfileMode::off, ProfileMode::light, ProfileMode::detailed};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double ProfilingCost::tokens_per_s(ProfileMode mode) const {
  return mode == ProfileMode::off     ? off_tokens_per_s
         : mode == ProfileMode::light ? light_tokens_per_s
                                      : detailed_tokens_per_s;
}

double ProfilingCost::percent(ProfileMode mode) const {
  return off_tokens_per_s > 0 ? 100 * (1 - tokens_per_s(mode) / off_tokens_per_s) : 0;
}

engine::Result<ProfilingCost> measure_profiling_cost(
    const std::function<engine::Status(ProfileMode)>& set_mode,
    const std::function<engine::Result<double>(int tokens)>& decode, ProfileMode after, int tokens,
    int rounds) {
  std::array<std::vector<double>, kModes.size()> speeds;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < kModes.size(); ++i) {
      if (auto status = set_mode(kModes[i]); !status) return status.error();
      const auto seconds = decode(tokens);
      if (!seconds) return seconds.error();
      if (*seconds <= 0) return engine::failed("{} tokens took no time: expected a speed to compare", tokens);
      speeds[i].push_back(tokens / *seconds);
    }
  }
  if (auto status = set_mode(after); !status) return status.error();
  return ProfilingCost{median(speeds[0]), median(speeds[1]), median(speeds[2])};
}

std::vector<engine::ParameterChanged> cost_parameters(const ProfilingCost& cost, ProfileMode mode,
                                                      engine::Step step) {
  std::vector<engine::ParameterChanged> parameters{
      {step, "profile_cost_percent", fmt::format("{:.1f}", cost.percent(mode))}};
  for (const ProfileMode each : kModes) {
    parameters.push_back({step, fmt::format("profile_{}_tokens_per_s", name_of(each)),
                          fmt::format("{:.2f}", cost.tokens_per_s(each))});
  }
  return parameters;
}

std::string cost_warning(const ProfilingCost& cost, ProfileMode mode) {
  if (cost.percent(mode) <= kCostWarning) return {};
  return fmt::format("{} profiling slows decoding down by {:.0f} %: {:.1f} instead of {:.1f} tokens/s",
                     name_of(mode), cost.percent(mode), cost.tokens_per_s(mode), cost.off_tokens_per_s);
}

}  // namespace profiling
