// How far each position's prediction is from the dense model's: KL divergence, or agreement of the likeliest
// token.
#pragma once

#include "app/gui/shell/panel.hpp"
#include "app/view/quality_series.hpp"

namespace app::gui {

class QualityPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  void draw_header(PanelContext& context);
  void draw_kl(PanelContext& context);
  void draw_top1(PanelContext& context);

  view::QualitySeries kl_{"kl"}, top1_{"top1"};
  view::QualitySeries other_kl_{"kl"}, other_top1_{"top1"};
  int shown_ = 0;  // 0 KL, 1 top-1
};

}  // namespace app::gui
