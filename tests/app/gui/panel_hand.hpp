// A hand for the panels of the window: finding panels and what they draw, and pointing, clicking and dragging
// there.
#pragma once

#include <imgui.h>
#include <imgui_internal.h>
#include <imgui_te_context.h>

#include <string>

#include "tests/app/gui/driver.hpp"

namespace gui_tests {

// A panel's window in the layout that is shown; null where it is closed or behind another tab.
ImGuiWindow* panel_window(Driver& driver, const char* panel);
// Shows the panel as the View menu does; paths are relative to it from now on.
void use_panel(ImGuiTestContext* context, Driver& driver, const char* panel);
// The window inside of a panel whose name has this part.
ImGuiWindow* child_window(ImGuiWindow* panel, const char* part);

// Ids of what a window draws: of its items, and of items inside of a PushID.
ImGuiID id_in(ImGuiWindow* window, const char* item);
ImGuiID id_in(ImGuiID outer, const char* item);
ImGuiID id_in(ImGuiID outer, int number);
// The same by name: of an item drawn straight into the panel, slashes and all, and of one inside one of the
// panel's tables (or another id scope).
ImGuiID item_in(Driver& driver, const char* panel, const std::string& label);
ImGuiID item_in(ImGuiTestContext* context, const char* scope, const std::string& label);

// Whether it was drawn in the last frame, and where. A missing one fails the test where `rect` is asked for
// it.
bool is_drawn(ImGuiTestContext* context, ImGuiID item);
ImRect rect(ImGuiTestContext* context, ImGuiID item);
// Empty where nothing of that name is drawn.
ImRect rect_of(ImGuiTestContext* context, ImGuiID item);
ImRect rect(ImGuiTestContext* context, Driver& driver, const char* panel, const char* item);
// The same for a place in it, in shares of its width and height.
ImVec2 place(const ImRect& rect, float x = 0.5F, float y = 0.5F);

// The pointer is there, and what it is over has had the one frame that it may take.
void point(ImGuiTestContext* context, ImVec2 at);
void click(ImGuiTestContext* context, ImVec2 at, ImGuiKeyChord held = 0);
void drag(ImGuiTestContext* context, ImVec2 from, ImVec2 to, ImGuiKeyChord held = 0,
          ImGuiMouseButton button = ImGuiMouseButton_Left);

}  // namespace gui_tests
