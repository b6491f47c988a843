// The arrangements of panels: what is where by default. Pure data; Dockspace builds it.
#pragma once

#include <imgui.h>

#include <string>
#include <string_view>
#include <vector>

namespace app::gui {

// Cuts `part` of the area `from` off at one side and names it.
struct AreaSplit {
  std::string from;
  ImGuiDir side;
  float part;
  std::string area;
};

struct Place {
  std::string panel;
  std::string area;
  bool front = false;  // the tab that is shown first
  bool open = true;
};

struct Layout {
  std::string name;   // as the command line spells it
  std::string title;  // in the menu row
  float text_scale = 1;
  std::vector<AreaSplit> splits;  // of the area "centre", in order
  std::vector<Place> places;      // every panel of the catalogue once
};

// In the order of the menu row. `compact`: for windows under kCompactWidth, where columns fold into tabs.
inline constexpr float kCompactWidth = 1400;
const std::vector<Layout>& layouts(bool compact);
const Layout* layout_named(std::string_view name, bool compact);

}  // namespace app::gui
