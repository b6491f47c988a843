#include "engine/backend/likeliest.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace engine {

TokenId likeliest(std::span<const float> logits) {
  // Largest values side by side, which compilers turn into vectors; a search for the largest of them is
  // cheap.
  constexpr std::size_t kLanes = 32;
  std::array<float, kLanes> lanes;
  lanes.fill(-std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = logits[i + lane] > lanes[lane] ? logits[i + lane] : lanes[lane];
    }
  }
  float largest = *std::max_element(lanes.begin(), lanes.end());
  for (; i < logits.size(); ++i) largest = std::max(largest, logits[i]);
  const auto first = std::find(logits.begin(), logits.end(), largest);
  return first == logits.end() ? 0 : static_cast<TokenId>(first - logits.begin());  // 0: all are NaN
}

}  // namespace engine
