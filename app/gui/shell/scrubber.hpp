// The run's timeline in the transport: the prompt compressed, decode linear, with decode speed above the
// bytes of the cache; drag to go anywhere.
#pragma once

#include <cstdint>
#include <string>

#include "app/gui/shell/run_state.hpp"
#include "app/gui/widgets/ui.hpp"
#include "app/view/run_curves.hpp"

namespace app::gui {

class Scrubber {
 public:
  // Inside a window; takes the rectangle.
  void draw(Ui& ui, Workbench& bench, const RunExtent& extent, ImVec2 low, ImVec2 high);

 private:
  struct Frame;
  void draw_strip(const Frame& frame);
  void draw_curves(const Frame& frame);
  void draw_axis(const Frame& frame);
  void draw_marks(const Frame& frame);
  void handle_pointer(const Frame& frame);
  void draw_tooltip(const Frame& frame, std::int32_t position);

  view::ScrubAxis axis_;
  view::RunCurves curves_;
  std::uint64_t chunks_of_ = 0;  // run whose prefill steps were counted
  std::int32_t counted_steps_ = 0;
  std::int32_t chunks_ = 0;
};

}  // namespace app::gui
