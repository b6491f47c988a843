// Names a place that was drawn by hand inside a larger item, so that tests can point at it.
#pragma once

#include <imgui.h>

namespace app::gui {

// Whether anybody asks for them: labels that take work to make are not made otherwise.
bool drawn_items_wanted();

// `label` is unique in the window. Costs nothing without a test engine.
void drawn_item(const char* label, ImVec2 low, ImVec2 high);

}  // namespace app::gui
