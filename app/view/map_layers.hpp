// What lies over and under the eviction map: how many heads hold each pixel's tokens, the runs of marked
// tokens that are hatched, and the picture of what other settings would change.
#pragma once

#include <cstdint>
#include <vector>

#include "app/view/map_image.hpp"

namespace app::view {

// One pixel of the strip under the map: means over its tokens, in heads.
struct HoldingPixel {
  float holding = 0;  // doomed ones included
  float doomed = 0;
};
void count_holding(const CacheView::Marks& marks, const TokenAxis& axis, std::int32_t s,
                   std::vector<HoldingPixel>& out);

// Runs of tokens in `tokens` that the head has marked and still holds at s.
void doomed_runs(const CacheView::Marks& marks, std::int32_t head, TokenRange tokens, std::int32_t s,
                 std::vector<TokenRange>& out);

struct DifferenceColors {
  std::uint32_t unborn = 0;
  std::uint32_t window = 0;     // in both windows
  std::uint32_t both_keep = 0;  // out of a window, held by both
  std::uint32_t dropped = 0;    // held by the run alone
  std::uint32_t regained = 0;   // held by the preview alone
  std::uint32_t both_evicted = 0;
  bool operator==(const DifferenceColors&) const = default;
};

// (head, token) cells of a run and a preview at s. Where one threshold's marks are not among the other's, a
// pixel of many cells may show fewer differences than there are; a pixel of one cell is exact.
struct DifferenceCounts {
  std::int64_t unborn = 0;
  std::int64_t window = 0;
  std::int64_t both_keep = 0;
  std::int64_t dropped = 0;
  std::int64_t regained = 0;
  std::int64_t both_evicted = 0;
  bool operator==(const DifferenceCounts&) const = default;
};
DifferenceCounts count_difference(const CacheView::Marks& run, const CacheView::Marks& preview,
                                  std::int32_t first_head, std::int32_t head_count, TokenRange tokens,
                                  std::int32_t s);

// As draw_map.
void draw_difference(const CacheView::Marks& run, const CacheView::Marks& preview,
                     const std::vector<MapRow>& rows, const TokenAxis& axis, std::int32_t s,
                     const DifferenceColors& colors, MapImage& image);

}  // namespace app::view
