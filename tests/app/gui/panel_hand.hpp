// A hand for the panels of the window: bringing one to the front, and aiming at what it draws.
#pragma once

#include <imgui.h>
#include <imgui_internal.h>
#include <imgui_te_context.h>

#include <string>

#include "tests/app/gui/driver.hpp"

namespace gui_tests {

// Null before the panel was first shown in this layout.
ImGuiWindow* panel_window(Driver& driver, const char* panel);
bool panel_shows(Driver& driver, const char* panel);

// Shows the panel as the View menu does; paths are relative to it from now on.
void use_panel(ImGuiTestContext* context, Driver& driver, const char* panel);

// Of an item drawn straight into the panel, slashes and all.
ImGuiID item_in(Driver& driver, const char* panel, const std::string& label);
// Of an item inside one of the panel's tables (or another id scope).
ImGuiID item_in(ImGuiTestContext* context, const char* scope, const std::string& label);

// Empty where nothing of that name is drawn.
ImRect rect_of(ImGuiTestContext* context, ImGuiID item);
bool is_drawn(ImGuiTestContext* context, ImGuiID item);

void point_at(ImGuiTestContext* context, ImVec2 at);
void click_at(ImGuiTestContext* context, ImVec2 at);
void drag(ImGuiTestContext* context, ImVec2 from, ImVec2 to);

}  // namespace gui_tests
