// The application as a whole where no hand is needed: what it makes of its settings, and the first tour.
#include "app/gui/shell/application.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/support/temp_folder.hpp"

using namespace app::gui;

namespace {

std::unique_ptr<Host> null_host() {
  HostOptions options;
  options.kind = HostKind::null;
  auto host = Host::create(options);
  REQUIRE(host);
  return std::move(*host);
}

bool mentions(const Notices& notices, const std::string& words) {
  for (const Notice& notice : notices.all()) {
    if (notice.text.find(words) != std::string::npos) return true;
  }
  return false;
}

ApplicationOptions in_folder(const support::TempFolder& folder) {
  ApplicationOptions options;
  options.settings_folder = folder.path();
  options.sample_trace =
      (std::filesystem::path(DMSCOPE_TESTS_DIR).parent_path() / "assets/sample/needle.db").string();
  return options;
}

}  // namespace

TEST_CASE("Application, a theme, a font and a layout that are missing are named, and the window opens") {
  const support::TempFolder folder;
  support::write_file(folder / "broken.ttf", std::string(4096, 'x'));
  support::write_file(folder / "settings.json",
                      R"({"theme": "pink", "layout": "moon", "scale": 1.25,
      "fonts": ["/no/such/font.ttf", ")" +
                          (folder / "broken.ttf").string() +
                          R"("], "shortcuts": {"file.quit": "Bogus", "file.none": "F1"}})");
  const auto host = null_host();
  Workbench bench({});
  Application application(*host, bench, in_folder(folder));
  for (int frame = 0; frame < 3; ++frame) application.frame();
  for (const char* words :
       {"theme: expected dark or light", "there is none named 'moon'", "/no/such/font.ttf", "broken.ttf",
        "'Bogus' is not a key", "file.none: no such command"}) {
    CAPTURE(words);
    CHECK(mentions(application.notices(), words));
  }
  CHECK(application.layout() == "inspect");
  CHECK(application.settings().scale == 1.25);
}

TEST_CASE("Application, a settings file full of nonsense is told, and its place is taken by a good one") {
  const support::TempFolder folder;
  support::write_file(folder / "settings.json", "\x01{]nonsense");
  support::write_file(folder / "layouts.ini", "[Docking][Data]\nDockSpace ID=0x1 Pos=,,,\n");
  {
    const auto host = null_host();
    Workbench bench({});
    Application application(*host, bench, in_folder(folder));
    for (int frame = 0; frame < 3; ++frame) application.frame();
    CHECK(mentions(application.notices(), "settings.json.bad"));
    CHECK(mentions(application.notices(), "layouts.ini.bad"));
    REQUIRE(application.save());
  }
  const auto host = null_host();
  Workbench bench({});
  Application application(*host, bench, in_folder(folder));
  CHECK(application.notices().all().empty());
}

TEST_CASE("Application, the sample begins with the tour once") {
  const support::TempFolder folder;
  for (const bool first : {true, false}) {
    const auto host = null_host();
    Workbench bench({});
    Application application(*host, bench, in_folder(folder));
    application.frame();
    REQUIRE(application.commands().run("file.play_sample"));
    CHECK(application.tour().active() == first);
    application.frame();
    REQUIRE(application.save());
  }
}
