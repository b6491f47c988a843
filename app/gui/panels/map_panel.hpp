// The eviction map: what every layer and KV head keeps, has marked and has evicted, token by token, at the
// moment shown; the newest tokens under a magnifier; heads that hold each token; live share of each head.
//
// The wheel zooms tokens, Shift-wheel scrolls rows, a drag pans, Ctrl-drag selects tokens, dragging with the
// middle button shows what is in the box, a click pins.
#pragma once

#include "app/gui/panels/map_frame.hpp"
#include "app/gui/panels/map_toolbar.hpp"
#include "app/gui/shell/panel.hpp"
#include "app/view/token_viewport.hpp"

namespace app::gui {

class MapPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  // What the rows depend on.
  struct RowKey {
    std::uint64_t run_id = 0;
    std::int32_t layers = 0, kv_heads = 0, expanded = -1, height = 0;
    float scale = 0;
    bool row_per_layer = false;
    RowOrder order = RowOrder::index;
    std::uint64_t sorted = 0;
    bool operator==(const RowKey&) const = default;
  };
  enum class Drag { none, pan, select, box };

  void lay_out_rows(PanelContext& context, const FieldSource& source, float height);
  void sort_again(const FieldSource& source);
  void paint(PanelContext& context, const MapFrame& frame);

  // map_input.cpp
  void take_input(PanelContext& context, const MapFrame& frame);
  void take_wheel(PanelContext& context, const MapFrame& frame, const MapField& field);
  void take_drag(PanelContext& context, const MapFrame& frame, const MapField& field, bool clicked);
  void take_keys(PanelContext& context, const MapFrame& frame);
  void take_box(PanelContext& context, const MapFrame& frame);
  void focus_selection(PanelContext& context, const MapFrame& frame);
  void point_at(PanelContext& context, const MapFrame& frame, const MapField& field);
  void take_gutter(PanelContext& context, const MapFrame& frame);
  void scroll_rows(const MapFrame& frame, float pixels);

  MapOptions options_;
  view::TokenViewport viewport_;
  std::uint64_t run_id_ = 0;
  float scroll_ = 0;  // rows, pixels

  view::RowLayout rows_;
  RowKey row_key_;
  std::uint64_t rows_version_ = 0;
  std::vector<double> sort_keys_;
  std::uint64_t sorted_ = 0;  // grows when rows are put in order again
  std::int32_t sorted_at_ = -1;

  CellField main_, near_;
  std::vector<view::HoldingPixel> main_strip_, near_strip_;

  Drag drag_ = Drag::none;
  std::int32_t drag_anchor_ = 0;  // token: the end of the range that stays
  std::int32_t drag_end_ = 0;     // of a box
  bool clicked_ = false;          // the last click changed the selection
};

}  // namespace app::gui
