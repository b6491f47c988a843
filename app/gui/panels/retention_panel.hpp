// The share of judged tokens that each head, or each layer, keeps at the position shown; ticks say what the
// preview would keep. A click pins the head.
#pragma once

#include "app/gui/shell/panel.hpp"

namespace app::gui {

class RetentionPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  void draw_bars(PanelContext& context, const std::vector<double>& shares,
                 const std::vector<double>& preview);
  int by_ = 0;  // 0 heads, 1 layers
};

}  // namespace app::gui
