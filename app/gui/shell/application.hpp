// The window's contents, put together: strips, panels, dialogs and the table of commands.
//
// Lives as long as its host, on the same thread. What it shows and what it starts is the workbench's.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/gui/host/host.hpp"
#include "app/gui/settings/settings.hpp"
#include "app/gui/shell/command_palette.hpp"
#include "app/gui/shell/dockspace.hpp"
#include "app/gui/shell/file_dialog.hpp"
#include "app/gui/shell/frame_areas.hpp"
#include "app/gui/shell/glossary_sheet.hpp"
#include "app/gui/shell/run_facts.hpp"
#include "app/gui/shell/settings_dialog.hpp"
#include "app/gui/shell/shortcut_sheet.hpp"
#include "app/gui/shell/tour.hpp"
#include "app/gui/shell/transport.hpp"
#include "app/gui/shell/welcome_card.hpp"

namespace app::gui {

struct ApplicationOptions {
  std::filesystem::path settings_folder;       // empty: nothing is read or saved
  std::string layout;                          // empty: the settings' one
  std::string single_panel;                    // draws this panel alone
  bool welcome = true;                         // the first-start card, until there is a run
  std::string default_model;                   // folder; empty: not set up
  std::string sample_trace;                    // file; empty: none
  std::optional<std::int32_t> start_position;  // shown as soon as the run has it; absent: the newest
  Settings settings;                           // used as they are where the folder is empty
};

class Application {
 public:
  Application(Host& host, Workbench& bench, ApplicationOptions options);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // Builds and renders one frame.
  void frame();
  // Settings and the arrangement of the panels.
  engine::Status save();

  // A trace, or a model's folder.
  void open_path(const std::string& path);

  Commands& commands() { return commands_; }
  Notices& notices() { return notices_; }
  Ui& ui() { return *ui_; }
  const std::string& layout() const { return settings_.layout; }
  const Settings& settings() const { return settings_; }
  // False while something is on its way to the screen by itself.
  bool settled() const { return dockspace_->settled() && (welcome_ == nullptr || welcome_->settled()); }
  const Tour& tour() const { return tour_; }
  bool set_layout(std::string_view name);
  // Drawn over everything, every frame; empty: nothing is.
  void set_overlay(std::function<void(Ui&)> overlay) { overlay_ = std::move(overlay); }

 private:
  void add_commands();
  void add_file_commands();
  void add_view_commands();
  void add_run_commands();
  void add_selection_commands();
  void add_pin_commands();
  void load_saved();
  void restyle();
  const Layout& current_layout() const;
  void draw_contents();
  void draw_workspace(float top, float bottom);
  void draw_dialogs();
  void draw_action(const Notice& notice);
  void draw_toasts(float bottom);
  void draw_tour(float transport_top, float transport_bottom);
  void start_tour();
  void play_sample();
  void report_problems();
  void choose(const char* title, bool folder);
  void take_pictures();
  void pace();

  Host& host_;
  Workbench& bench_;
  ApplicationOptions options_;
  Settings settings_;
  Notices notices_;
  std::unique_ptr<Fonts> fonts_;
  std::unique_ptr<Ui> ui_;
  Commands commands_;
  std::unique_ptr<Dockspace> dockspace_;
  std::unique_ptr<WelcomeCard> welcome_;
  Transport transport_;
  RunStatusBar status_bar_;
  struct SavedView {
    view::Selection selection;
    std::string layout;
  };
  std::array<std::optional<SavedView>, 10> views_;
  CommandPalette palette_;
  ShortcutSheet sheet_;
  GlossarySheet glossary_;
  Tour tour_;
  SettingsDialog settings_dialog_;
  FileDialog file_dialog_;
  double last_frame_ = 0;  // clock reading
  float applied_scale_ = 0;
  std::function<void(Ui&)> overlay_;
  bool show_welcome_;
  bool wants_picture_ = false;
  bool restyle_ = true;
};

}  // namespace app::gui
