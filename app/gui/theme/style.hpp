// The theme as Dear ImGui and ImPlot want it.
#pragma once

#include <imgui.h>

#include "app/gui/theme/metrics.hpp"
#include "app/gui/theme/theme.hpp"

namespace app::gui {

inline ImU32 to_u32(Color color) {
  return IM_COL32(color.red, color.green, color.blue, color.alpha);
}
ImVec4 to_vec4(Color color);

// Sets every colour and size of the current contexts.
void apply_style(const Theme& theme, const Metrics& metrics);

}  // namespace app::gui
