#include "app/gui/panels/map_frame.hpp"

#include <algorithm>
#include <cmath>

namespace app::gui {

float MapField::middle_x(std::int32_t token) const {
  return std::floor((begin_x(token) + end_x(token)) / 2) + 0.5F;
}

view::TokenRange MapField::tokens_at(float x) const {
  const float share = area.width() > 0 ? (x - area.low.x) / area.width() : 0;
  const auto pixel = static_cast<std::int32_t>(std::floor(share * static_cast<float>(axis.width)));
  view::TokenRange tokens = axis.at(std::clamp(pixel, 0, std::max(0, axis.width - 1)));
  tokens.begin =
      std::clamp(tokens.begin, axis.tokens.begin, std::max(axis.tokens.begin, axis.tokens.end - 1));
  return tokens;
}

const view::MapRow* MapFrame::visible_row_of(std::int32_t head) const {
  const std::int32_t index = rows->row_of(head);
  if (index < 0) return nullptr;
  const view::MapRow& row = rows->rows[static_cast<std::size_t>(index)];
  const float top = top_of(row);
  const bool visible = top + static_cast<float>(row.height) > main.area.low.y && top < main.area.high.y;
  return visible ? &row : nullptr;
}

NearZone near_zone(const view::CacheView& cache, std::int32_t s, float room, float pixel) {
  constexpr std::int32_t kBefore = 32;     // tokens beyond the window
  constexpr std::int32_t kLongest = 4096;  // windows that are larger are no matter of a magnifier
  const std::int32_t window = cache.closed_form() ? std::min(cache.window(), kLongest) : 2 * kBefore;
  const std::int32_t end = s + 1;
  const std::int32_t count = window + kBefore;
  const auto total = static_cast<float>(cache.positions());
  // Nothing to magnify where the map has two pixels a token, or where the window is most of it.
  if (total <= 0 || room / total >= 2 * pixel || static_cast<float>(count) > total * 0.7F) return {};
  const float most = std::floor(room * 0.42F);
  const auto wanted = static_cast<float>(count) * 2 * pixel;
  const float width = wanted <= most ? wanted : std::min(most, static_cast<float>(count) * pixel);
  return {{end - count, end}, static_cast<std::int32_t>(width)};
}

MapFrame lay_out_map(Ui& ui, const FieldSource& source, const view::TokenRange& visible, ImVec2 low,
                     ImVec2 high) {
  MapFrame frame;
  frame.source = source;
  const float width = high.x - low.x, height = high.y - low.y;
  const bool wide = width >= ui.px(380);
  const float gutter = ui.px(44), gap = ui.px(12);
  const float bars = wide ? ui.px(28) : 0;
  const float top = height >= ui.px(110) ? ui.px(30) : 0;
  const float strip = height >= ui.px(170) ? ui.px(26) : 0;
  const float foot = height >= ui.px(200) ? ui.px(18) : 0;
  const float left = low.x + gutter;
  const float right = high.x - (bars > 0 ? bars + ui.px(4) : 0);
  const float cells_low = low.y + top;
  const float cells_high = std::max(cells_low + 1, high.y - foot - strip);
  const NearZone zone = near_zone(source.shown(), source.s, right - left - gap, ui.px(1));
  const float near_left = zone.width > 0 ? right - static_cast<float>(zone.width) : right;

  frame.header = {{low.x, low.y}, {high.x, cells_low}};
  frame.footer = {{low.x, high.y - foot}, {high.x, high.y}};
  frame.gutter = {{low.x, cells_low}, {left, cells_high}};
  frame.bars = {{high.x - bars, cells_low}, {high.x, cells_high}};
  frame.main.area = {{left, cells_low}, {zone.width > 0 ? near_left - gap : right, cells_high}};
  const float strip_low = cells_high + ui.px(4);
  const float strip_high = high.y - foot - ui.px(2);
  if (strip > 0) frame.main.strip = {{left, strip_low}, {frame.main.area.high.x, strip_high}};
  frame.main.axis = {visible, std::max(1, static_cast<std::int32_t>(frame.main.area.width()))};
  if (zone.width > 0) {
    frame.near.area = {{near_left, cells_low}, {right, cells_high}};
    if (strip > 0) frame.near.strip = {{near_left, strip_low}, {right, strip_high}};
    // At the beginning of a sequence there are fewer tokens: the right edge stays where it is.
    const std::int32_t begin = std::max(0, zone.tokens.begin);
    const std::int32_t shown = zone.tokens.end - begin;
    const auto used = static_cast<float>(std::int64_t{zone.width} * shown / zone.tokens.size());
    frame.near.area.low.x = frame.near.strip.low.x = right - used;
    frame.near.axis = {{begin, zone.tokens.end}, std::max(1, static_cast<std::int32_t>(used))};
  }
  return frame;
}

}  // namespace app::gui
