// What another threshold would keep, from the stored logits: instant, and a preview (see cache_view.hpp).
//
// Works on positions up to `s` of one sequence. Tokens without a logit are kept at any threshold.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "app/view/cache_view.hpp"
#include "engine/events/result.hpp"

namespace app::view {

struct Retention {
  std::vector<double> kept;  // [heads] live / dense slots at s
  double ratio = 1;          // dense / live, all heads
};
Retention retention_at(const CacheView& view, std::int32_t s);

// Compression ratio at up to `points` positions that divide [0, positions) evenly, the last one included.
struct RatioPoint {
  std::int32_t position = 0;
  double ratio = 1;
};
std::vector<RatioPoint> ratio_over_positions(const CacheView& view, std::int32_t points);

// Counts of logits in equal bins over [low, high]; what lies outside is counted at the ends.
struct LogitHistogram {
  float low = 0;
  float high = 0;
  std::vector<std::int64_t> counts;
  std::int64_t total = 0;
  std::int64_t without_logit = 0;  // NaN

  float bin_width() const { return (high - low) / static_cast<float>(counts.size()); }
};
// The range leaves out the outermost 0.1 % on either side, which are a few tokens far away.
LogitHistogram logit_histogram(const SequenceView& sequence, std::int32_t heads, std::int32_t bins);

// The threshold with which the cache at s would have the ratio nearest to `target`: every token that has left
// the window at s competes by its logit. Refused with the range that can be reached.
engine::Result<double> threshold_for_ratio(const SequenceView& sequence, std::int32_t heads,
                                           std::int32_t window, std::int32_t s, double target);

}  // namespace app::view
