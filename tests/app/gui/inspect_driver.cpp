#include "tests/app/gui/inspect_driver.hpp"

#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include <algorithm>
#include <cstring>

#include "app/view/format.hpp"

namespace gui_tests {

using namespace app::gui;
namespace view = app::view;

ImGuiWindow* panel_window(Driver& driver, const char* panel) {
  const Layout& layout = *layout_named(driver.application().layout(), false);
  ImGuiWindow* window = ImGui::FindWindowByName(Dockspace::window_name(layout, *panel_named(panel)).c_str());
  if (window == nullptr || !window->WasActive) return nullptr;
  return window->DockIsActive && !window->DockTabIsVisible ? nullptr : window;
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

float MapHand::x(std::int32_t token, view::TokenRange visible) const {
  const ImRect area = cells();
  const view::TokenAxis axis{visible, std::max(1, static_cast<std::int32_t>(area.GetWidth()))};
  const auto middle = static_cast<float>(axis.begin_pixel(token) + axis.end_pixel(token)) / 2;
  return area.Min.x + middle * area.GetWidth() / static_cast<float>(axis.width);
}

float MapHand::y(view::Head head) const {
  return place(rect(context, driver, "map", view::format_head(head.layer, head.kv_head).c_str())).y;
}

view::TokenRange MapHand::visible() const {
  const ImRect area = cells();
  const auto token = [&](float x) {
    point(context, {x, area.GetCenter().y});
    return driver.bench().hover().token.value_or(-1);
  };
  const std::int32_t first = token(area.Min.x + 0.5F);
  return {first, token(area.Max.x - 0.6F) + 1};
}

}  // namespace gui_tests
