// What the window remembers between runs: a JSON file in $XDG_CONFIG_HOME/dmscope (or ~/.config/dmscope).
//
// Nonsense never stops the program: what cannot be used is reported, its default is taken, and a file that
// was not understood is kept aside before anything is written over it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "app/gui/theme/theme.hpp"
#include "app/gui/workbench/device_choice.hpp"
#include "engine/events/result.hpp"

namespace app::gui {

struct Settings {
  ThemeKind theme = ThemeKind::dark;
  Palette palette = Palette::blue_orange;
  double scale = 0;  // 0: the monitor's; else 0.75 to 4
  std::string layout = "inspect";
  bool native_dialogs = true;          // the desktop's file dialog where it has one
  bool toured = false;                 // the tour has been shown
  RunPreferences run;                  // where runs go
  std::vector<std::string> fonts;      // files with letters that ours lack, before the system's
  std::vector<std::string> recent;     // traces and model folders, newest first
  std::map<std::string, bool> panels;  // "layout/panel" to whether it is open, where that was changed
  std::map<std::string, std::string> shortcuts;  // command id to keys, where they differ from the default
};

inline constexpr std::size_t kMaxRecent = 8;

struct LoadedSettings {
  Settings settings;
  std::vector<std::string> problems;  // one line each, for notices
};

// The folder of the user's configuration; empty if the environment names none.
std::filesystem::path settings_folder();

// A missing file is no problem.
LoadedSettings load_settings(const std::filesystem::path& folder);
engine::Status save_settings(const std::filesystem::path& folder, const Settings& settings);
void remember_recent(Settings& settings, const std::string& path);

// The arrangement of the panels, as Dear ImGui writes it, guarded by a checksum: a damaged file is refused
// before it reaches a parser that trusts it. Empty if there is none.
std::string load_arrangement(const std::filesystem::path& folder, std::vector<std::string>& problems);
engine::Status save_arrangement(const std::filesystem::path& folder, const std::string& text);

}  // namespace app::gui
