// Where everything of the eviction map lies in one frame, and what it shows: made once, then painted, then
// asked what the pointer is over. Screen pixels.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <optional>

#include "app/gui/panels/cell_field.hpp"
#include "app/gui/shell/panel.hpp"
#include "app/view/row_layout.hpp"

namespace app::gui {

struct Area {
  ImVec2 low{0, 0}, high{0, 0};
  float width() const { return high.x - low.x; }
  float height() const { return high.y - low.y; }
  bool empty() const { return width() <= 0 || height() <= 0; }
  bool contains(ImVec2 at) const { return low.x <= at.x && at.x < high.x && low.y <= at.y && at.y < high.y; }
};

// A field of cells and the tokens along it.
struct MapField {
  Area area;   // cells
  Area strip;  // under it: heads that hold each token
  view::TokenAxis axis;

  bool shows(std::int32_t token) const { return !area.empty() && axis.tokens.contains(token); }
  float begin_x(std::int32_t token) const {
    return area.low.x + static_cast<float>(axis.begin_pixel(token)) * area.width() /
                            static_cast<float>(std::max(1, axis.width));
  }
  float end_x(std::int32_t token) const {
    return area.low.x + static_cast<float>(axis.end_pixel(token)) * area.width() /
                            static_cast<float>(std::max(1, axis.width));
  }
  float middle_x(std::int32_t token) const;
  view::TokenRange tokens_at(float x) const;
};

struct MapFrame {
  FieldSource source;
  Area gutter, bars, header, footer;
  MapField main;
  MapField near;  // the magnifier; empty where the main map is no coarser
  int scroll = 0;
  const view::RowLayout* rows = nullptr;

  // Flat index of the head at a height, -1 outside.
  std::int32_t head_at(float y) const {
    return rows->head_at(static_cast<std::int32_t>(y - main.area.low.y) + scroll);
  }
  float top_of(const view::MapRow& row) const { return main.area.low.y + static_cast<float>(row.y - scroll); }
  // The row that shows a head, if any of it is in view.
  const view::MapRow* visible_row_of(std::int32_t head) const;
};

// The magnifier: the newest w + 32 tokens at two pixels each, fewer where there is no room.
struct NearZone {
  view::TokenRange tokens;
  std::int32_t width = 0;  // pixels; 0: none
};
NearZone near_zone(const view::CacheView& cache, std::int32_t s, float room, float pixel);

// Divides the rest of the panel's window.
MapFrame lay_out_map(Ui& ui, const FieldSource& source, const view::TokenRange& visible, ImVec2 low,
                     ImVec2 high);

// Painting, in this order (map_painting.cpp).
void paint_gutter(PanelContext& context, const MapFrame& frame, bool sorted);
void paint_axis(PanelContext& context, const MapFrame& frame);
void paint_strip(Ui& ui, const FieldSource& source, const MapField& field,
                 const std::vector<view::HoldingPixel>& pixels);
void paint_live_bars(PanelContext& context, const MapFrame& frame);
// Zone, window edge, moment, selection, pins and hover over the cells (map_marks.cpp).
void paint_marks(PanelContext& context, const MapFrame& frame);

// The tokens that a box being drawn will show.
void paint_box(PanelContext& context, const MapFrame& frame, view::TokenRange tokens);

// A rectangle that reads on any cell: the role's colour with casing on both sides.
void paint_frame(const Ui& ui, ImDrawList& list, ImVec2 low, ImVec2 high, Role role);

}  // namespace app::gui
