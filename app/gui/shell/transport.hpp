// The strip under the menus: what is being run or replayed, where in it we are, and how to move.
#pragma once

#include "app/gui/shell/commands.hpp"
#include "app/gui/shell/scrubber.hpp"

namespace app::gui {

class Transport {
 public:
  // From `top` down over the whole width; returns its height. Without a run it says what will be here.
  float draw(Ui& ui, Workbench& bench, const Commands& commands, float top);

 private:
  void draw_buttons(Ui& ui, Workbench& bench, const Commands& commands, ImVec2 origin);
  void draw_speed(Ui& ui, Workbench& bench, ImVec2 low, ImVec2 size);
  void draw_facts(Ui& ui, Workbench& bench, const RunExtent& extent, ImVec2 origin, float right);

  Scrubber scrubber_;
};

}  // namespace app::gui
