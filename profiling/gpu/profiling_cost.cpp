#include "profiling/gpu/profiling_cost.hpp"

#include <algorithm>
#include <array>

namespace profiling {
namespace {

constexpr std::array kModes{ProfileMode::off, ProfileMode::light, ProfileMode::detailed};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
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
  for (std::size_t round = 0; round < static_cast<std::size_t>(rounds); ++round) {
    for (std::size_t turn = 0; turn < kModes.size(); ++turn) {
      const std::size_t i = (round + turn) % kModes.size();
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
