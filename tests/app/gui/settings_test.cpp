#include "app/gui/settings/settings.hpp"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>

using namespace app::gui;

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("dmscope-settings-" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  void write(const char* name, const std::string& text) const { std::ofstream(path / name) << text; }
};

}  // namespace

TEST_CASE("Settings come back as they were saved") {
  const Folder folder;
  Settings settings;
  settings.theme = ThemeKind::light;
  settings.palette = Palette::violet_yellow;
  settings.scale = 1.5;
  settings.layout = "tune";
  settings.native_dialogs = false;
  settings.recent = {"/a b/\xC3\xA9.db"};
  settings.panels = {{"inspect/log", false}};
  settings.shortcuts = {{"file.quit", "Ctrl+W"}};
  settings.run = {"cuda:1", "detailed", true};
  REQUIRE(save_settings(folder.path / "new", settings));
  const LoadedSettings loaded = load_settings(folder.path / "new");
  CHECK(loaded.problems.empty());
  CHECK(loaded.settings.theme == ThemeKind::light);
  CHECK(loaded.settings.palette == Palette::violet_yellow);
  CHECK(loaded.settings.scale == 1.5);
  CHECK(loaded.settings.layout == "tune");
  CHECK_FALSE(loaded.settings.native_dialogs);
  CHECK(loaded.settings.recent == settings.recent);
  CHECK(loaded.settings.panels == settings.panels);
  CHECK(loaded.settings.shortcuts == settings.shortcuts);
  CHECK(loaded.settings.run.device == "cuda:1");
  CHECK(loaded.settings.run.profile == "detailed");
  CHECK(loaded.settings.run.measure_cost);
}

TEST_CASE("No settings file is no problem") {
  const Folder folder;
  CHECK(load_settings(folder.path).problems.empty());
  CHECK(load_settings("").problems.empty());
}

TEST_CASE("A settings file full of nonsense is reported and kept aside") {
  for (const char* text : {"{\"theme\": ", "[1, 2]", "\x01\x02garbage", "null"}) {
    const Folder folder;
    folder.write("settings.json", text);
    const LoadedSettings loaded = load_settings(folder.path);
    CAPTURE(text);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].find("settings.json") != std::string::npos);
    CHECK(loaded.settings.layout == "inspect");
    CHECK(fs::exists(folder.path / "settings.json.bad"));
    CHECK_FALSE(fs::exists(folder.path / "settings.json"));
  }
}

TEST_CASE("Each setting that cannot be used is named; the others count") {
  const Folder folder;
  folder.write("settings.json",
               R"({"theme": "pink", "palette": 3, "scale": 1e9, "layout": "tune", "native_dialogs": "yes",
                   "recent": [1], "panels": {"a": 1}, "shortcuts": [], "unknown": {}})");
  const LoadedSettings loaded = load_settings(folder.path);
  CHECK(loaded.problems.size() == 7);
  CHECK(loaded.settings.theme == ThemeKind::dark);
  CHECK(loaded.settings.scale == 0);
  CHECK(loaded.settings.layout == "tune");
  CHECK(loaded.settings.native_dialogs);
}

TEST_CASE("A huge settings file is not read") {
  const Folder folder;
  folder.write("settings.json", std::string(2U << 20, '['));
  CHECK(load_settings(folder.path).problems.size() == 1);
}

TEST_CASE("A saved arrangement comes back; a damaged one never reaches the panels") {
  const Folder folder;
  std::vector<std::string> problems;
  const std::string text = "[Docking][Data]\nDockSpace ID=0x1\n";
  REQUIRE(save_arrangement(folder.path, text));
  CHECK(load_arrangement(folder.path, problems) == text);
  CHECK(problems.empty());
  std::ofstream(folder.path / "layouts.ini", std::ios::app) << "x";
  CHECK(load_arrangement(folder.path, problems).empty());
  CHECK(problems.size() == 1);
  CHECK(fs::exists(folder.path / "layouts.ini.bad"));
}

TEST_CASE("A folder that cannot be written to is an error with its name") {
  const auto saved = save_settings("/proc/none", {});
  REQUIRE_FALSE(saved);
  CHECK(saved.error().message.find("/proc/none") != std::string::npos);
}

TEST_CASE("Recent files are the newest few, each once") {
  Settings settings;
  for (int index = 0; index < 20; ++index) remember_recent(settings, "/t" + std::to_string(index));
  remember_recent(settings, "/t15");
  CHECK(settings.recent.size() == kMaxRecent);
  CHECK(settings.recent[0] == "/t15");
  CHECK(settings.recent[1] == "/t19");
}

TEST_CASE("A device and a profile that there are none of are reported, and automatic and light are used") {
  const Folder folder;
  folder.write("settings.json", R"({"device": "tpu", "profile": "all", "measure_cost": 1})");
  const LoadedSettings loaded = load_settings(folder.path);
  CHECK(loaded.problems.size() == 3);
  CHECK(loaded.settings.run.device == "auto");
  CHECK(loaded.settings.run.profile == "light");
  CHECK_FALSE(loaded.settings.run.measure_cost);
}
