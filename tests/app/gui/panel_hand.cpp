#include "tests/app/gui/panel_hand.hpp"

#include <imgui_te_engine.h>

#include <cstring>

namespace gui_tests {

using namespace app::gui;

ImGuiWindow* panel_window(Driver& driver, const char* panel) {
  const Layout& layout = *layout_named(driver.application().layout(), false);
  ImGuiWindow* window = ImGui::FindWindowByName(Dockspace::window_name(layout, *panel_named(panel)).c_str());
  if (window == nullptr || !window->WasActive) return nullptr;
  return window->DockIsActive && !window->DockTabIsVisible ? nullptr : window;
}

void use_panel(ImGuiTestContext* context, Driver& driver, const char* panel) {
  if (panel_window(driver, panel) == nullptr) driver.run((std::string("view.panel.") + panel).c_str());
  context->Yield(6);  // a panel that is new finds its dock first
  IM_CHECK(panel_window(driver, panel) != nullptr);
  context->SetRef(panel_window(driver, panel));
  context->WindowFocus("");
}

ImGuiWindow* child_window(ImGuiWindow* panel, const char* part) {
  for (ImGuiWindow* window : ImGui::GetCurrentContext()->Windows) {
    if (window->ParentWindow == panel && window->WasActive && std::strstr(window->Name, part) != nullptr)
      return window;
  }
  return nullptr;
}

ImGuiID id_in(ImGuiWindow* window, const char* item) {
  return window != nullptr ? ImHashStr(item, 0, window->ID) : 0;
}

ImGuiID id_in(ImGuiID outer, const char* item) {
  return ImHashStr(item, 0, outer);
}

ImGuiID id_in(ImGuiID outer, int number) {
  return ImHashData(&number, sizeof(number), outer);
}

ImGuiID item_in(Driver& driver, const char* panel, const std::string& label) {
  return id_in(panel_window(driver, panel), label.c_str());
}

ImGuiID item_in(ImGuiTestContext* context, const char* scope, const std::string& label) {
  return id_in(context->GetID(scope), label.c_str());
}

bool is_drawn(ImGuiTestContext* context, ImGuiID item) {
  return item != 0 && context->ItemInfo(item, ImGuiTestOpFlags_NoError).ID != 0;
}

ImRect rect(ImGuiTestContext* context, ImGuiID item) {
  IM_CHECK_RETV(item != 0, ImRect());
  return context->ItemInfo(item).RectFull;
}

ImRect rect(ImGuiTestContext* context, Driver& driver, const char* panel, const char* item) {
  ImGuiWindow* window = panel_window(driver, panel);
  IM_CHECK_RETV(window != nullptr, ImRect());
  return rect(context, id_in(window, item));
}

ImRect rect_of(ImGuiTestContext* context, ImGuiID item) {
  const ImGuiTestItemInfo info = context->ItemInfo(item, ImGuiTestOpFlags_NoError);
  return info.ID == 0 ? ImRect() : info.RectFull;
}

ImVec2 place(const ImRect& rect, float x, float y) {
  return {rect.Min.x + rect.GetWidth() * x, rect.Min.y + rect.GetHeight() * y};
}

void point(ImGuiTestContext* context, ImVec2 at) {
  context->MouseTeleportToPos(at, ImGuiTestOpFlags_NoYield);
  // The frame that sees the pointer there, and the one in which every panel shows it.
  context->Yield(2);
}

void click(ImGuiTestContext* context, ImVec2 at, ImGuiKeyChord held) {
  point(context, at);
  if (held != 0) context->KeyDown(held);
  context->MouseClick();
  if (held != 0) context->KeyUp(held);
  context->Yield(2);
  // The next click is no double click.
  context->SleepNoSkip(0.4F, 0.1F);
}

void drag(ImGuiTestContext* context, ImVec2 from, ImVec2 to, ImGuiKeyChord held, ImGuiMouseButton button) {
  point(context, from);
  if (held != 0) context->KeyDown(held);
  context->MouseDown(button);
  for (const float share : {0.5F, 1.0F})
    point(context, {from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share});
  context->MouseUp(button);
  if (held != 0) context->KeyUp(held);
  context->Yield(2);
  context->SleepNoSkip(0.4F, 0.1F);
}

}  // namespace gui_tests
