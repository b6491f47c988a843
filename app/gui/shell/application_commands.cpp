// The table of commands of the window itself. Panels and runs add theirs.
#include <fmt/format.h>

#include <utility>

#include "app/gui/shell/application.hpp"

namespace app::gui {

void Application::add_commands() {
  add_file_commands();
  add_run_commands();
  add_selection_commands();
  add_view_commands();
  commands_.add({"help.tour",
                 "Tour of the window",
                 "Help",
                 "",
                 [this] { start_tour(); },
                 [this] { return bench_.has_run() || !options_.sample_trace.empty(); },
                 {}});
  commands_.add({"help.glossary", "Glossary", "Help", "", [this] { glossary_.open(); }, {}, {}});
  commands_.add({"help.shortcuts", "Shortcuts", "Help", "?", [this] { sheet_.open(); }, {}, {}});
  commands_.add({"help.copy_report",
                 "Copy report about this machine",
                 "Help",
                 "",
                 [this] {
                   const ImVec2 size = ImGui::GetMainViewport()->Size;
                   const auto facts =
                       machine_facts(host_.renderer(), static_cast<int>(size.x), static_cast<int>(size.y),
                                     static_cast<double>(applied_scale_));
                   ImGui::SetClipboardText(facts_text(facts).c_str());
                   notices_.add(NoticeLevel::info, "The report is in the clipboard");
                 },
                 {},
                 {}});
}

void Application::add_file_commands() {
  commands_.add({"file.open_trace",
                 "Open trace…",
                 "File",
                 "Ctrl+O",
                 [this] { choose("Open a trace", false); },
                 {},
                 {}});
  commands_.add({"file.play_sample",
                 "Play the sample",
                 "File",
                 "",
                 [this] { play_sample(); },
                 [this] { return !options_.sample_trace.empty(); },
                 {}});
  commands_.add({"file.save_picture",
                 "Save panel as PNG",
                 "File",
                 "Ctrl+Shift+C",
                 [this] { wants_picture_ = true; },
                 {},
                 {}});
  commands_.add(
      {"file.settings", "Settings…", "File", "Ctrl+,", [this] { settings_dialog_.open(); }, {}, {}, true});
  commands_.add({"file.quit", "Quit", "File", "Ctrl+Q", [this] { host_.request_close(); }, {}, {}, true});
  commands_.add({"run.choose_model",
                 "Run a model…",
                 "Run",
                 "Ctrl+R",
                 [this] { choose("Choose a model's folder", true); },
                 {},
                 {}});
  commands_.add({"run.default_model",
                 "Run the default model",
                 "Run",
                 "",
                 [this] { open_path(options_.default_model); },
                 [this] { return !options_.default_model.empty(); },
                 {}});
  commands_.add({"selection.dismiss",
                 "Dismiss notices",
                 "Selection",
                 "",
                 [this] { notices_.dismiss_toasts(); },
                 {},
                 {}});
}

void Application::add_view_commands() {
  commands_.add({"view.palette", "Command palette", "View", "Ctrl+P", [this] { palette_.open(); }, {}, {}});
  int number = 1;
  for (const Layout& layout : layouts(false)) {
    commands_.add({"view.layout." + layout.name,
                   "Layout: " + layout.title,
                   "View",
                   fmt::format("Ctrl+Shift+{}", number),
                   [this, name = layout.name] { set_layout(name); },
                   {},
                   [this, name = layout.name] { return settings_.layout == name; },
                   number == 1});
    ++number;
  }
  commands_.add({"view.reset_layout",
                 "Reset layout",
                 "View",
                 "",
                 [this] { dockspace_->reset(current_layout()); },
                 {},
                 {}});
  commands_.add({"view.welcome", "First-start card", "View", "", [this] { show_welcome_ = !show_welcome_; },
                 [this] { return bench_.source() == RunSource::none; }, [this] { return show_welcome_; },
                 true});
  commands_.add({"view.theme",
                 "Light theme",
                 "View",
                 "Ctrl+Shift+L",
                 [this] {
                   settings_.theme = settings_.theme == ThemeKind::dark ? ThemeKind::light : ThemeKind::dark;
                   restyle_ = true;
                 },
                 {},
                 [this] { return settings_.theme == ThemeKind::light; }});
  bool first = true;
  for (const PanelInfo& panel : panel_catalogue()) {
    commands_.add({"view.panel." + panel.name,
                   "Panel: " + panel.title,
                   "View",
                   "",
                   [this, name = panel.name] {
                     if (dockspace_->is_in_front(name)) {
                       dockspace_->set_open(current_layout(), name, false);
                     } else {
                       dockspace_->show(current_layout(), name);
                     }
                     show_welcome_ = false;
                   },
                   {},
                   [this, name = panel.name] { return dockspace_->is_open(current_layout(), name); },
                   std::exchange(first, false)});
  }
}

}  // namespace app::gui
