// The eviction map as a picture: one row of pixels per row of the layout, each pixel the mean of the state
// colours of the tokens (and heads) it stands for.
//
// Counts behind a pixel come from the mark index in constant time, so that a picture of 36 x 8 heads x 32,768
// tokens costs the same as one of 1,000 tokens. Colours are 0xAABBGGRR, bytes R G B A in memory.
#pragma once

#include <cstdint>
#include <vector>

#include "app/view/cache_view.hpp"
#include "app/view/row_layout.hpp"
#include "app/view/token_axis.hpp"

namespace app::view {

struct MapColors {
  std::uint32_t unborn = 0;
  std::uint32_t window = 0;  // undecided tokens too: they are visible
  std::uint32_t doomed = 0;
  std::uint32_t kept = 0;
  std::uint32_t evicted = 0;
  bool operator==(const MapColors&) const = default;
};

// How many (head, token) cells of a pixel are in which state.
struct StateCounts {
  std::int64_t unborn = 0;
  std::int64_t window = 0;
  std::int64_t doomed = 0;
  std::int64_t kept = 0;
  std::int64_t evicted = 0;
  std::int64_t total() const { return unborn + window + doomed + kept + evicted; }
  bool operator==(const StateCounts&) const = default;
};

StateCounts count_states(const CacheView::Marks& marks, std::int32_t first_head, std::int32_t head_count,
                         TokenRange tokens, std::int32_t s);

struct MapImage {
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::vector<std::uint32_t> pixels;  // [height, width]
};

// One row of pixels per row of `rows`, in their order. `image` is reused.
void draw_map(const CacheView::Marks& marks, const std::vector<MapRow>& rows, const TokenAxis& axis,
              std::int32_t s, const MapColors& colors, MapImage& image);

}  // namespace app::view
