#include "app/gui/widgets/drawn_item.hpp"

#include <imgui_internal.h>

namespace app::gui {

bool drawn_items_wanted() {
#ifdef IMGUI_ENABLE_TEST_ENGINE
  return ImGui::GetCurrentContext()->TestEngineHookItems;
#else
  return false;
#endif
}

void drawn_item([[maybe_unused]] const char* label, [[maybe_unused]] ImVec2 low,
                [[maybe_unused]] ImVec2 high) {
#ifdef IMGUI_ENABLE_TEST_ENGINE
  if (!drawn_items_wanted()) return;
  [[maybe_unused]] ImGuiContext& g = *ImGui::GetCurrentContext();
  const ImGuiID id = ImGui::GetID(label);
  const ImRect box(low, high);
  IMGUI_TEST_ENGINE_ITEM_ADD(id, box, nullptr);
  IMGUI_TEST_ENGINE_ITEM_INFO(id, label, 0);
#endif
}

}  // namespace app::gui
