// Drawing that Dear ImGui lacks: hatching, dashes, flags, text cut to a width. Positions are screen pixels.
#pragma once

#include <imgui.h>

#include <string>
#include <string_view>

#include "app/gui/theme/style.hpp"
#include "app/gui/widgets/texture.hpp"

namespace app::gui {

// Diagonal stripes, in step with the screen, so that neighbouring cells join. One texture for all; made on
// first use.
class Hatch {
 public:
  // Draws `ink` stripes over whatever is in the rectangle.
  void fill(ImDrawList& list, ImVec2 low, ImVec2 high, Color ink, const Metrics& metrics);

 private:
  void build(int period);
  Texture texture_;
  int period_ = 0;
};

void dashed_line(ImDrawList& list, ImVec2 from, ImVec2 to, Color color, float dash, float thickness);
// A line that reads on any cell: `color` with one pixel of casing on both sides.
void cased_line(ImDrawList& list, ImVec2 from, ImVec2 to, Color color, Color casing, float thickness);

// The flag of a pinned (filled) or hovered (outlined) token: `text` in a rounded box centred on x, kept
// inside [left, right]. Returns the box's width.
float flag(ImDrawList& list, float x, float y, float left, float right, const std::string& text, bool filled,
           const Theme& theme, const Metrics& metrics);

// `text` if it fits, else its beginning and an ellipsis; cut between characters.
std::string fit_text(std::string_view text, float width);

}  // namespace app::gui
