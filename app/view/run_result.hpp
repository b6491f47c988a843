// What a run came to, in the few numbers by which settings are compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/view/cache_view.hpp"

namespace app::view {

struct RunResult {
  std::uint64_t run_id = 0;
  std::string policy;
  double threshold = 0;
  std::int32_t window = 0;
  std::int32_t sinks = 0;
  double target_cr = 0;  // 0: none asked for
  std::int32_t positions = 0;
  double ratio = 1;                       // at the last position, logical
  std::optional<double> allocated_ratio;  // absent: not recorded
  std::optional<double> kl, top1;         // means of all that was measured; absent: unknown
};

// Of the sequence that the view shows.
RunResult run_result(const CacheView& view);

// "θ 0.00, w 64"; other policies say their name and what they have.
std::string settings_text(const RunResult& result);

// The mean of a measure over all positions and sequences; absent: none.
std::optional<double> mean_measure(const RunSnapshot& run, const std::string& measure);

}  // namespace app::view
