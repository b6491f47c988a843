// A plot along the positions of the sequence shown: frame, grid, axes, the border of prefill and decode, the
// moment shown, pinned and hovered tokens. The panel draws its curves in between.
//
// An ordinary item: a click or a drag moves the window to that position, the pointer hovers the token.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/gui/shell/panel.hpp"

namespace app::gui {

struct ValueAxis {
  double low = 0, high = 1;
  bool logarithmic = false;
  std::vector<std::pair<double, std::string>> ticks;
};
// 1×, 2×, 3×: round steps up to `high`.
ValueAxis ratio_axis(double high);
// Powers of ten.
ValueAxis log_axis(double low, double high);

class PositionPlot {
 public:
  // `right` pixels at 100 % are left for the names of curves.
  PositionPlot(PanelContext& context, const char* id, ImVec2 size, ValueAxis axis, float right);
  // Draws what lies over the curves. Call it last.
  void finish();

  ImVec2 low() const { return low_; }  // of the plot area
  ImVec2 high() const { return high_; }
  float x_of(double position) const;
  float y_of(double value) const;
  bool hovered() const { return hovered_; }
  std::int32_t pointed() const { return pointed_; }  // position under the pointer, -1: none
  ImDrawList& list() const { return *list_; }

  void curve(const std::vector<ImVec2>& points, Color color, float thickness, bool dashed = false);
  // The name of a curve at its right end; names keep clear of each other in the order they come.
  void name(const std::string& text, double value, Color color);

 private:
  void draw_frame();

  PanelContext& context_;
  ImDrawList* list_;
  ValueAxis axis_;
  ImVec2 low_, high_;
  std::int32_t positions_;
  bool hovered_ = false;
  std::int32_t pointed_ = -1;
  struct Name {
    std::string text;
    float y;
    Color color;
  };
  std::vector<Name> names_;
};

}  // namespace app::gui
