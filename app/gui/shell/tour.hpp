// Six stops around the window on a run that is shown: what each part says and how to use it. Replayable from
// the Help menu.
#pragma once

#include <imgui.h>

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "app/gui/widgets/ui.hpp"

namespace app::gui {

struct TourStop {
  const char* title;
  const char* text;
  const char* panel;  // which is brought to the front; empty: the transport
};
std::span<const TourStop> tour_stops();

struct TourArea {
  ImVec2 low, high;
};

class Tour {
 public:
  void start() { at_ = 0; }
  void end() { at_ = -1; }
  bool active() const { return at_ >= 0; }
  int stop() const { return at_; }
  // The panel that has to be in front, empty: none. For the frame in which it changes only.
  std::string panel_to_show();

  // Over everything; `area` is where the stop's part of the window lies, absent until it is drawn.
  void draw(Ui& ui, const std::optional<TourArea>& area);

 private:
  void draw_card(Ui& ui, ImVec2 at, float width);
  void go(int stop);

  int at_ = -1;
  int shown_ = -1;
};

}  // namespace app::gui
