#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "app/gui/host/frame_pacer.hpp"
#include "app/gui/shell/chord.hpp"
#include "app/gui/shell/commands.hpp"
#include "app/gui/shell/layouts.hpp"
#include "app/gui/shell/notices.hpp"
#include "app/gui/shell/panel.hpp"

using namespace app::gui;

TEST_CASE("Every layout places every panel once, in an area that exists") {
  for (const bool compact : {false, true}) {
    for (const Layout& layout : layouts(compact)) {
      CAPTURE(layout.name, compact);
      std::set<std::string> areas{"centre"}, panels;
      for (const AreaSplit& split : layout.splits) {
        CHECK(areas.contains(split.from));
        CHECK(areas.insert(split.area).second);
        CHECK(split.part > 0.1F);
        CHECK(split.part < 0.9F);
      }
      std::map<std::string, int> fronts;
      for (const Place& place : layout.places) {
        CHECK(panel_named(place.panel) != nullptr);
        CHECK(areas.contains(place.area));
        CHECK(panels.insert(place.panel).second);
        fronts[place.area] += place.front ? 1 : 0;
      }
      CHECK(panels.size() == panel_catalogue().size());
      for (const auto& area : areas) CHECK(fronts[area] == 1);
    }
  }
}

TEST_CASE("Layouts are found by the command line's names") {
  for (const char* name : {"inspect", "tune", "profile", "present"}) {
    CHECK(layout_named(name, false) != nullptr);
    CHECK(layout_named(name, true) != nullptr);
  }
  CHECK(layout_named("Inspect", false) == nullptr);
}

TEST_CASE("Keys are written and read the same way") {
  for (const char* text :
       {"Ctrl+P", "Ctrl+Shift+C", "?", "F1", "Left", "Alt+Left", "Esc", "Ctrl+,", "Space", "A"}) {
    CAPTURE(text);
    const auto chord = parse_chord(text);
    REQUIRE(chord);
    CHECK(chord_text(*chord) == text);
  }
  for (const char* text : {"", "Ctrl", "Ctrl+", "Control+P", "Ctrl+Nonsense", "ctrl+p"})
    CHECK_FALSE(parse_chord(text));
}

TEST_CASE("A shortcut that is taken or unknown is refused and named") {
  Commands commands;
  commands.add({"a", "First", "File", "Ctrl+O", [] {}, {}, {}});
  commands.add({"b", "Second", "File", "Ctrl+P", [] {}, {}, {}});
  const auto problems = commands.apply_shortcuts({{"a", "Ctrl+P"}, {"b", "Bogus"}, {"c", "F1"}});
  CHECK(problems.size() == 3);
  CHECK(commands.keys("a") == "Ctrl+O");
  CHECK(commands.keys("b") == "Ctrl+P");
  CHECK(commands.apply_shortcuts({{"a", "F2"}, {"b", ""}}).empty());
  CHECK(commands.keys("a") == "F2");
  CHECK(commands.keys("b").empty());
}

TEST_CASE("A disabled command does not run") {
  Commands commands;
  int runs = 0;
  bool enabled = false;
  commands.add({"a", "First", "File", "", [&] { ++runs; }, [&] { return enabled; }, {}});
  CHECK_FALSE(commands.run("a"));
  enabled = true;
  CHECK(commands.run("a"));
  CHECK_FALSE(commands.run("none"));
  CHECK(runs == 1);
}

TEST_CASE("The palette finds a command by any of its words, the nearest first") {
  Commands commands;
  commands.add({"a", "Reset layout", "View", "", [] {}, {}, {}});
  commands.add({"b", "Layout: Tune", "View", "", [] {}, {}, {}});
  commands.add({"c", "Open trace", "File", "", [] {}, {}, {}});
  CHECK(commands.search("layout").front()->id == "b");
  CHECK(commands.search("LAY view").size() == 2);
  CHECK(commands.search("zzz").empty());
  CHECK(commands.search("").size() == 3);
}

TEST_CASE("The same notice again is counted, and the log is bounded") {
  Notices notices;
  notices.add(NoticeLevel::info, "a");
  notices.add(NoticeLevel::info, "a");
  REQUIRE(notices.all().size() == 1);
  CHECK(notices.all()[0].repeats == 2);
  for (std::size_t index = 0; index < Notices::kMaxKept + 10; ++index)
    notices.add(NoticeLevel::error, std::to_string(index));
  CHECK(notices.all().size() == Notices::kMaxKept);
  CHECK(notices.toasts(0).size() <= 4);
  notices.dismiss_toasts();
  CHECK(notices.toasts(notices.all().back().shown_at + 100).empty());
}

TEST_CASE("An idle window draws nothing") {
  FramePacer pacer(false);
  for (int frame = 0; frame < FramePacer::kFramesAfterInput; ++frame) pacer.frame_drawn(frame, frame);
  CHECK(pacer.due() == FramePacer::kNever);
  pacer.request_at(50);
  CHECK(pacer.due() == 50);
  pacer.frame_drawn(50, 50);
  CHECK(pacer.due() == FramePacer::kNever);
}

TEST_CASE("Input is answered by some frames at sixty a second") {
  FramePacer pacer(false);
  for (int frame = 0; frame < 10; ++frame) pacer.frame_drawn(frame, frame);
  pacer.input();
  for (int frame = 0; frame < FramePacer::kFramesAfterInput; ++frame) {
    CHECK(pacer.due() < FramePacer::kNever);
    pacer.frame_drawn(20 + frame, 20 + frame + 0.001);
  }
  CHECK(pacer.due() == FramePacer::kNever);
}

TEST_CASE("Drawing on the processor gives way to decoding, not to a hand on the mouse") {
  FramePacer pacer(true);
  for (int frame = 0; frame < 10; ++frame) pacer.frame_drawn(frame, frame);
  pacer.set_continuous(true);
  pacer.set_decoding(true);
  pacer.frame_drawn(100, 100.05);
  const double others = 0.05 * (1 / FramePacer::kSoftwareShare - 1);  // the time that is left to decoding
  CHECK(pacer.due() >= 100.05 + others - 1e-9);
  CHECK(others > 0.1);
  pacer.input();
  CHECK(pacer.due() < 100.05);
  FramePacer gpu(false);
  gpu.set_continuous(true);
  gpu.set_decoding(true);
  gpu.frame_drawn(100, 100.05);
  CHECK(gpu.due() < 100.05);
}
