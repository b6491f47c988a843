// The compression ratio over positions: verified, the other run's, and the preview's.
#pragma once

#include <vector>

#include "app/gui/shell/panel.hpp"
#include "app/view/preview.hpp"

namespace app::gui {

class CompressionPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  // A curve and what it was computed from.
  struct Curve {
    std::uint64_t run_id = 0;
    engine::SequenceId sequence = -1;
    view::CacheSettings settings;
    std::int32_t positions = -1, points = 0;
    std::vector<view::RatioPoint> ratios;
  };
  static void update(Curve& curve, const view::CacheView& view, const view::CacheSettings& settings,
                     std::int32_t points);
  Curve run_, preview_, other_;
};

}  // namespace app::gui
