#include <imgui.h>
#include <imgui_internal.h>
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include "app/gui/host/null_host.hpp"
#include "tests/app/gui/driver.hpp"

namespace gui_tests {

namespace {

using namespace app::gui;

// Closes whatever a command opened.
void dismiss(ImGuiTestContext* context) {
  for (int press = 0; press < 3; ++press) context->KeyPress(ImGuiKey_Escape);
  context->PopupCloseAll();
}

void menus(ImGuiTestContext* context, Driver& driver) {
  for (const Command& command : driver.application().commands().all()) {
    if (command.id == "file.quit" || command.menu.empty()) continue;
    context->SetRef("##MainMenuBar");
    context->MenuClick((command.menu).c_str());
    IM_CHECK(context->ItemExists(("//$FOCUSED/" + command.title).c_str()));
    context->PopupCloseAll();
  }
}

void every_command(ImGuiTestContext* context, Driver& driver) {
  for (const Command& command : driver.application().commands().all()) {
    if (command.id == "file.quit") continue;
    context->LogInfo("%s", command.id.c_str());
    driver.application().commands().run(command.id);
    context->Yield(3);
    dismiss(context);
  }
  driver.application().commands().run("view.welcome");
  context->Yield(2);
}

void palette(ImGuiTestContext* context, Driver& driver) {
  context->KeyPress(ImGuiMod_Ctrl | ImGuiKey_P);
  context->Yield(2);
  context->KeyChars("layout tune");
  context->KeyPress(ImGuiKey_Enter);
  context->Yield(2);
  IM_CHECK_STR_EQ(driver.application().layout().c_str(), "tune");
}

void layout_buttons(ImGuiTestContext* context, Driver& driver) {
  for (const Layout& layout : layouts(false)) {
    context->ItemClick(("##MainMenuBar/##MenuBar/layouts/" + layout.title).c_str());
    IM_CHECK_STR_EQ(driver.application().layout().c_str(), layout.name.c_str());
  }
}

void panels_are_there(ImGuiTestContext* context, Driver& driver) {
  if (ImGui::FindWindowByName("Welcome") != nullptr && ImGui::FindWindowByName("Welcome")->Active) {
    driver.application().commands().run("view.welcome");
  }
  for (const Layout& layout : layouts(false)) {
    driver.application().set_layout(layout.name);
    driver.application().commands().run("view.reset_layout");
    context->Yield(4);
    for (const Place& place : layout.places) {
      const ImGuiWindow* window =
          ImGui::FindWindowByName(Dockspace::window_name(layout, *panel_named(place.panel)).c_str());
      if (!place.open) continue;
      IM_CHECK(window != nullptr && window->WasActive);
      IM_CHECK(window->DockIsActive);
      if (place.front) IM_CHECK(window->DockTabIsVisible);
    }
  }
}

void file_dialog(ImGuiTestContext* context, Driver& driver) {
  driver.application().commands().run("file.open_trace");
  context->Yield(2);
  context->SetRef("Open a trace###file dialog");
  context->ItemInputValue("##path", "/no/such/file");
  context->ItemClick("Open");
  IM_CHECK(driver.bench().source() == app::gui::RunSource::none);
  context->ItemInputValue("##path", "/proc/self/status");
  context->Yield(2);
  IM_CHECK(driver.bench().source() == app::gui::RunSource::trace);
  IM_CHECK_STR_EQ(driver.bench().trace_path().c_str(), "/proc/self/status");
}

void tab_menu_closes(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  const Layout& layout = *layout_named("inspect", false);
  const std::string name = Dockspace::window_name(layout, *panel_named("kernels"));
  const ImRect tab = ImGui::FindWindowByName(name.c_str())->DC.DockTabItemRect;
  context->MouseMoveToPos(tab.GetCenter());
  context->MouseClick(ImGuiMouseButton_Right);
  context->Yield(2);
  context->ItemClick("//$FOCUSED/Close");
  context->Yield(3);
  IM_CHECK(!ImGui::FindWindowByName(name.c_str())->Active);
  driver.run("view.reset_layout");
  context->Yield(6);
  IM_CHECK(ImGui::FindWindowByName(name.c_str())->Active);
}

// No tab of the default docks is cut short, at the size of a small laptop.
void tabs_are_whole(ImGuiTestContext* context, Driver& driver) {
  auto& host = static_cast<NullHost&>(driver.host());
  for (const auto& [width, height] : {std::pair{1280, 720}, std::pair{1600, 900}}) {
    host.resize(width, height);
    context->Yield(2);
    for (const Layout& layout : layouts(width < 1400)) {
      driver.open_trace(context, layout.name.c_str());
      context->Yield(14);
      for (const Place& place : layout.places) {
        if (!place.open) continue;
        const std::string name = Dockspace::window_name(layout, *panel_named(place.panel));
        const ImGuiWindow* window = ImGui::FindWindowByName(name.c_str());
        const ImGuiTabBar& bar = *window->DockNode->TabBar;
        context->LogInfo("%s at %d", name.c_str(), width);
        IM_CHECK(bar.WidthAllTabsIdeal <= bar.BarRect.GetWidth() + 1);
      }
    }
  }
  host.resize(1600, 900);
  context->Yield(2);
}

// With a run on the screen and nobody at the mouse there is nothing to draw.
void untouched_window_rests(ImGuiTestContext* context, Driver& driver) {
  for (const Layout& layout : layouts(false)) {
    driver.open_trace(context, layout.name.c_str());
    driver.run("selection.dismiss");
    context->Yield(20);
    context->LogInfo("%s", layout.name.c_str());
    IM_CHECK(driver.host().pacer().due() >= FramePacer::kNever);
  }
  driver.run("run.play");
  context->Yield(2);
  IM_CHECK(driver.host().pacer().due() < FramePacer::kNever);
  driver.run("run.play");
}

void theme_follows(ImGuiTestContext* context, Driver& driver) {
  const ThemeKind before = driver.application().settings().theme;
  context->KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_L);
  context->Yield(2);
  IM_CHECK(driver.application().settings().theme != before);
  IM_CHECK(driver.application().ui().theme().kind == driver.application().settings().theme);
}

}  // namespace

void add_shell_tests(Driver& driver) {
  driver.add("every_menu_shows_its_items", menus);
  driver.add("the_palette_runs_a_command", palette);
  driver.add("layout_buttons_switch_layouts", layout_buttons);
  driver.add("every_layout_shows_its_panels", panels_are_there);
  driver.add("the_file_dialog_opens_what_exists", file_dialog);
  driver.add("the_theme_follows_its_shortcut", theme_follows);
  driver.add("a_panel_closes_through_the_menu_of_its_tab", tab_menu_closes);
  driver.add("no_tab_is_cut_short", tabs_are_whole);
  driver.add("an_untouched_window_asks_for_no_frames", untouched_window_rests);
  driver.add("every_command_runs", every_command);
}

}  // namespace gui_tests
