#include "tests/app/gui/panel_hand.hpp"

#include <imgui_te_engine.h>

namespace gui_tests {

using namespace app::gui;

ImGuiWindow* panel_window(Driver& driver, const char* panel) {
  const Layout& layout = *layout_named(driver.application().layout(), false);
  return ImGui::FindWindowByName(Dockspace::window_name(layout, *panel_named(panel)).c_str());
}

bool panel_shows(Driver& driver, const char* panel) {
  const ImGuiWindow* window = panel_window(driver, panel);
  return window != nullptr && window->WasActive && (!window->DockIsActive || window->DockTabIsVisible);
}

void use_panel(ImGuiTestContext* context, Driver& driver, const char* panel) {
  if (!panel_shows(driver, panel)) driver.run((std::string("view.panel.") + panel).c_str());
  context->Yield(6);  // a panel that is new finds its dock first
  IM_CHECK(panel_shows(driver, panel));
  context->SetRef(panel_window(driver, panel));
  context->WindowFocus("");
}

ImGuiID item_in(Driver& driver, const char* panel, const std::string& label) {
  return ImHashStr(label.c_str(), 0, panel_window(driver, panel)->ID);
}

ImGuiID item_in(ImGuiTestContext* context, const char* scope, const std::string& label) {
  return ImHashStr(label.c_str(), 0, context->GetID(scope));
}

ImRect rect_of(ImGuiTestContext* context, ImGuiID item) {
  const ImGuiTestItemInfo info = context->ItemInfo(item, ImGuiTestOpFlags_NoError);
  return info.ID == 0 ? ImRect() : info.RectFull;
}

bool is_drawn(ImGuiTestContext* context, ImGuiID item) {
  return context->ItemInfo(item, ImGuiTestOpFlags_NoError).ID != 0;
}

void point_at(ImGuiTestContext* context, ImVec2 at) {
  context->MouseMoveToPos(at);
  context->Yield(3);  // the hover of a frame shows in the next
}

void click_at(ImGuiTestContext* context, ImVec2 at) {
  context->MouseMoveToPos(at);
  context->MouseClick();
  context->Yield(2);
}

void drag(ImGuiTestContext* context, ImVec2 from, ImVec2 to) {
  context->MouseMoveToPos(from);
  context->MouseDown();
  context->Yield();
  context->MouseMoveToPos({(from.x + to.x) / 2, (from.y + to.y) / 2});
  context->MouseMoveToPos(to);
  context->Yield();
  context->MouseUp();
  context->Yield(2);
}

}  // namespace gui_tests
