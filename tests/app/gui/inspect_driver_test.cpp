// The one selection of the Inspect layout, whatever panel it comes from, and its panels as windows.
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include "tests/app/gui/inspect_driver.hpp"

namespace gui_tests {

namespace {

namespace view = app::view;
using namespace app::gui;
using view::Head;
using view::Selection;
using view::TokenRange;

constexpr std::array kPanels{"text", "history", "map", "lens", "occupancy"};

void view_menu_opens_and_closes_panels(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  const auto press = [&](const char* panel) {
    context->SetRef("##MainMenuBar");
    context->MenuClick(("View/Panel: " + panel_named(panel)->title).c_str());
    context->Yield(4);
  };
  int behind_others = 0;
  for (const char* panel : kPanels) {
    if (panel_window(driver, panel) == nullptr) {  // behind another tab: it comes to the front first
      ++behind_others;
      press(panel);
      IM_CHECK(panel_window(driver, panel) != nullptr);
    }
    press(panel);
    IM_CHECK(panel_window(driver, panel) == nullptr);
    press(panel);
    IM_CHECK(panel_window(driver, panel) != nullptr);
    // It has the keyboard now.
    const ImGuiWindow* focused = ImGui::GetCurrentContext()->NavWindow;
    IM_CHECK(focused != nullptr && focused->RootWindow == panel_window(driver, panel)->RootWindow);
  }
  IM_CHECK(behind_others > 0);
}

void esc_takes_ranges_before_pins(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  const MapHand map{context, driver};
  click(context, map.at(300, {4, 1}));
  drag(context, {map.x(100), map.y({9, 0})}, {map.x(200), map.y({9, 0})}, ImGuiMod_Ctrl);
  IM_CHECK(driver.bench().selection().tokens.has_value());
  IM_CHECK(driver.bench().selection().token.has_value());
  context->KeyPress(ImGuiKey_Escape);
  IM_CHECK(!driver.bench().selection().tokens);
  IM_CHECK(driver.bench().selection().token.has_value());
  IM_CHECK((driver.bench().selection().head == Head{4, 1}));
  context->KeyPress(ImGuiKey_Escape);
  IM_CHECK(driver.bench().selection().nothing_pinned());
}

void alt_arrows_walk_back_and_forth(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  const MapHand map{context, driver};
  click(context, map.at(300, {4, 1}));
  const Selection first = driver.bench().selection();
  click(context, place(rect(context, driver, "occupancy", "L20\u00b7h1")));
  const Selection second = driver.bench().selection();
  ImGuiWindow* prompt = child_window(panel_window(driver, "text"), "prompt text");
  IM_CHECK(prompt != nullptr);
  const std::int32_t token = *first.token + 1;
  click(context, place(rect(context, id_in(prompt->ID, token))));
  const Selection third = driver.bench().selection();
  IM_CHECK(third.token == token);
  IM_CHECK((third.head == Head{20, 1}));
  const auto back = [&] { context->KeyPress(ImGuiMod_Alt | ImGuiKey_LeftArrow); };
  const auto forward = [&] { context->KeyPress(ImGuiMod_Alt | ImGuiKey_RightArrow); };
  back();
  IM_CHECK(driver.bench().selection() == second);
  back();
  IM_CHECK(driver.bench().selection() == first);
  back();
  IM_CHECK(driver.bench().selection().nothing_pinned());
  back();
  IM_CHECK(driver.bench().selection().nothing_pinned());
  forward();
  forward();
  IM_CHECK(driver.bench().selection() == second);
  forward();
  IM_CHECK(driver.bench().selection() == third);
}

void digits_store_and_recall_views(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  const Selection stored = view::select_tokens(view::pin_head(view::pin_token({}, 321), {11, 2}), 300, 340);
  driver.bench().select(stored);
  driver.bench().go_to(700);
  context->KeyPress(ImGuiMod_Ctrl | ImGuiKey_3);
  driver.bench().select({});
  driver.bench().follow();
  driver.application().set_layout("tune");
  context->Yield(3);
  context->KeyPress(ImGuiKey_4);  // nothing is stored there
  IM_CHECK(driver.bench().selection().nothing_pinned());
  context->KeyPress(ImGuiKey_3);
  context->Yield(3);
  IM_CHECK(driver.bench().selection().token == 321);
  IM_CHECK((driver.bench().selection().tokens == TokenRange{300, 341}));
  IM_CHECK((driver.bench().selection().head == Head{11, 2}));
  IM_CHECK_EQ(driver.bench().position(), 700);
  IM_CHECK_STR_EQ(driver.application().layout().c_str(), "inspect");
}

void arrows_pin_tokens_and_heads(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  driver.bench().go_to(500);
  const auto ctrl = [&](ImGuiKey key, int times = 1) { context->KeyPress(ImGuiMod_Ctrl | key, times); };
  // From the moment that is shown, and from the first head.
  ctrl(ImGuiKey_LeftArrow);
  IM_CHECK(driver.bench().selection().token == 500);
  ctrl(ImGuiKey_LeftArrow, 3);
  ctrl(ImGuiKey_RightArrow);
  IM_CHECK(driver.bench().selection().token == 498);
  ctrl(ImGuiKey_DownArrow);
  IM_CHECK((driver.bench().selection().head == Head{0, 0}));
  ctrl(ImGuiKey_DownArrow, 4);
  IM_CHECK((driver.bench().selection().head == Head{1, 1}));
  ctrl(ImGuiKey_UpArrow, 2);
  IM_CHECK((driver.bench().selection().head == Head{0, 2}));
  IM_CHECK(driver.bench().selection().token == 498);
  IM_CHECK_EQ(driver.bench().position(), 500);
  // Tokens of a range, from the pinned one on, and the pinned head's layer.
  context->KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_RightArrow, 2);
  IM_CHECK((driver.bench().selection().tokens == TokenRange{498, 501}));
  context->KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_LeftArrow, 3);
  IM_CHECK((driver.bench().selection().tokens == TokenRange{497, 499}));
  ctrl(ImGuiKey_L);
  IM_CHECK((driver.bench().selection().heads == view::HeadSet::layer(0, 3)));
  ctrl(ImGuiKey_L);
  IM_CHECK(driver.bench().selection().heads.empty());
  // Panels show it: the text, the map and the occupancy.
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "pinned token")));
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "occupancy"), "pinned head")));
}

void tab_reaches_the_items_of_a_panel(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  const auto reached = [&](const char* panel, const char* item) {
    ImGuiWindow* window = panel_window(driver, panel);
    if (window == nullptr) return false;
    context->WindowFocus(window->ID);
    for (int press = 0; press < 12; ++press) {
      if (ImGui::GetCurrentContext()->NavId == id_in(window, item)) return true;
      context->KeyPress(ImGuiKey_Tab);
    }
    return false;
  };
  IM_CHECK(reached("map", "##order"));
  IM_CHECK(reached("map", "##map"));
  IM_CHECK(reached("map", "##magnifier"));
  IM_CHECK(reached("occupancy", "##meters"));
  IM_CHECK(reached("lens", "##layer"));
  IM_CHECK(reached("text", "##search"));
}

}  // namespace

void add_inspect_tests(Driver& driver) {
  driver.add("view_menu_opens_and_closes_panels", view_menu_opens_and_closes_panels);
  driver.add("esc_takes_ranges_before_pins", esc_takes_ranges_before_pins);
  driver.add("alt_arrows_walk_back_and_forth", alt_arrows_walk_back_and_forth);
  driver.add("digits_store_and_recall_views", digits_store_and_recall_views);
  driver.add("arrows_pin_tokens_and_heads", arrows_pin_tokens_and_heads);
  driver.add("tab_reaches_the_items_of_a_panel", tab_reaches_the_items_of_a_panel);
  add_map_tests(driver);
  add_text_tests(driver);
  add_cache_tests(driver);
}

}  // namespace gui_tests
