// What the tests of the Inspect layout's panels share: finding panels and what they draw, and a hand that
// points, clicks and drags there.
#pragma once

#include <imgui.h>
#include <imgui_internal.h>

#include <string>

#include "app/view/selection.hpp"
#include "app/view/token_axis.hpp"
#include "tests/app/gui/driver.hpp"

namespace gui_tests {

// A panel's window in the layout that is shown; null where it is closed or behind another tab.
ImGuiWindow* panel_window(Driver& driver, const char* panel);
// The window inside of a panel whose name has this part.
ImGuiWindow* child_window(ImGuiWindow* panel, const char* part);

// Ids of what a window draws: of its items, and of items inside of a PushID.
ImGuiID id_in(ImGuiWindow* window, const char* item);
ImGuiID id_in(ImGuiID outer, const char* item);
ImGuiID id_in(ImGuiID outer, int number);

// Whether it was drawn in the last frame, and where. A missing one fails the test where `rect` is asked for
// it.
bool is_drawn(ImGuiTestContext* context, ImGuiID item);
ImRect rect(ImGuiTestContext* context, ImGuiID item);
ImRect rect(ImGuiTestContext* context, Driver& driver, const char* panel, const char* item);
// The same for a place in it, in shares of its width and height.
ImVec2 place(const ImRect& rect, float x = 0.5F, float y = 0.5F);

// The pointer is there, and what it is over has had the one frame that it may take.
void point(ImGuiTestContext* context, ImVec2 at);
void click(ImGuiTestContext* context, ImVec2 at, ImGuiKeyChord held = 0);
void drag(ImGuiTestContext* context, ImVec2 from, ImVec2 to, ImGuiKeyChord held = 0,
          ImGuiMouseButton button = ImGuiMouseButton_Left);

// The eviction map as it is shown: where a token and a head are.
struct MapHand {
  ImGuiTestContext* context;
  Driver& driver;

  ImRect cells() const { return rect(context, driver, "map", "##map"); }
  // The middle of a token's column, where these tokens fill the width.
  float x(std::int32_t token, app::view::TokenRange visible) const;
  float x(std::int32_t token) const { return x(token, {0, driver.bench().positions()}); }
  float y(app::view::Head head) const;
  ImVec2 at(std::int32_t token, app::view::Head head) const { return {x(token), y(head)}; }
  // First and last token, by pointing at the edges.
  app::view::TokenRange visible() const;
};

void add_map_tests(Driver& driver);
void add_cache_tests(Driver& driver);
void add_text_tests(Driver& driver);

}  // namespace gui_tests
