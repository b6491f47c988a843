// Group "onboarding": the tour and the words that explain themselves.
#include <imgui.h>
#include <imgui_internal.h>
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include "tests/app/gui/driver.hpp"

namespace gui_tests {

namespace {

using namespace app::gui;

bool tooltip_is_shown() {
  for (const ImGuiWindow* window : ImGui::GetCurrentContext()->Windows) {
    if ((window->Flags & ImGuiWindowFlags_Tooltip) != 0 && window->Active && !window->Hidden) return true;
  }
  return false;
}

bool is_in_front(Driver& driver, const char* panel) {
  const Layout& layout = *layout_named(driver.application().layout(), false);
  const ImGuiWindow* window =
      ImGui::FindWindowByName(Dockspace::window_name(layout, *panel_named(panel)).c_str());
  return window != nullptr && window->DockTabIsVisible;
}

void tour_goes_round(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  driver.run("help.tour");
  context->Yield(4);
  IM_CHECK_STR_EQ(driver.application().layout().c_str(), "inspect");
  const auto stops = tour_stops();
  IM_CHECK_EQ(stops.size(), std::size_t{6});
  context->SetRef("##tour");
  for (int stop = 0; stop < static_cast<int>(stops.size()); ++stop) {
    context->Yield(4);
    IM_CHECK_EQ(driver.application().tour().stop(), stop);
    const char* panel = stops[static_cast<std::size_t>(stop)].panel;
    if (panel[0] != '\0') IM_CHECK(is_in_front(driver, panel));
    context->ItemClick(stop + 1 < static_cast<int>(stops.size()) ? "Next" : "Done");
  }
  context->Yield(2);
  IM_CHECK(!driver.application().tour().active());
}

void tour_goes_back_and_ends(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  driver.run("help.tour");
  context->Yield(4);
  context->SetRef("##tour");
  context->ItemClick("Next");
  context->Yield(2);
  context->ItemClick("Back");
  context->Yield(2);
  IM_CHECK_EQ(driver.application().tour().stop(), 0);
  context->KeyPress(ImGuiKey_Escape);
  context->Yield(2);
  IM_CHECK(!driver.application().tour().active());
  driver.run("help.tour");
  context->Yield(4);
  context->ItemClick("Skip");
  context->Yield(2);
  IM_CHECK(!driver.application().tour().active());
}

void words_explain_themselves(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  context->MouseMoveToPos({800, 2});
  context->Yield(3);
  IM_CHECK(!tooltip_is_shown());
  // Entries are numbered from the right, the left ones after them.
  for (const char* entry : {"##status/$$1/entry", "##status/$$2/entry", "##status/$$5/entry"}) {
    context->MouseMove(entry);
    context->Yield(3);
    IM_CHECK(tooltip_is_shown());
  }
}

void glossary_lists_all(ImGuiTestContext* context, Driver& driver) {
  driver.run("help.glossary");
  context->Yield(3);
  IM_CHECK(ImGui::IsPopupOpen("", ImGuiPopupFlags_AnyPopup));
  context->SetRef("Glossary");
  context->ItemClick("Close");
  context->Yield(2);
  IM_CHECK(!ImGui::IsPopupOpen("", ImGuiPopupFlags_AnyPopup));
}

}  // namespace

void add_onboarding_tests(Driver& driver) {
  driver.add("the_tour_goes_round_in_six_stops", tour_goes_round);
  driver.add("the_tour_goes_back_and_ends_early", tour_goes_back_and_ends);
  driver.add("words_of_the_status_bar_explain_themselves", words_explain_themselves);
  driver.add("the_glossary_opens_and_closes", glossary_lists_all);
}

}  // namespace gui_tests
