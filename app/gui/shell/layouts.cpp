#include "app/gui/shell/layouts.hpp"

#include <algorithm>

#include "app/gui/shell/panel.hpp"

namespace app::gui {

namespace {

// Panels that a layout does not name wait, closed, in its largest area.
void complete(Layout& layout) {
  for (const PanelInfo& panel : panel_catalogue()) {
    const bool placed = std::any_of(layout.places.begin(), layout.places.end(),
                                    [&](const Place& place) { return place.panel == panel.name; });
    if (!placed) layout.places.push_back({panel.name, "centre", false, false});
  }
}

Layout inspect() {
  return {"inspect",
          "Inspect",
          1,
          {{"centre", ImGuiDir_Left, 0.182F, "left"},
           {"centre", ImGuiDir_Down, 0.29F, "bottom"},
           {"bottom", ImGuiDir_Right, 0.418F, "table"},
           {"centre", ImGuiDir_Right, 0.232F, "right"},
           {"right", ImGuiDir_Down, 0.46F, "lens"}},
          {{"text", "left", true},
           {"history", "left"},
           {"map", "centre", true},
           {"occupancy", "right", true},
           {"quality", "right"},
           {"tuning", "right"},
           {"lens", "lens", true},
           {"timeline", "bottom", true},
           {"kernels", "table", true},
           {"statistics", "table"},
           {"prompt", "left"},
           {"log", "table"},
           {"trace", "table"}}};
}

Layout compact_inspect() {
  return {"inspect",
          "Inspect",
          1,
          {{"centre", ImGuiDir_Right, 0.27F, "right"}, {"centre", ImGuiDir_Down, 0.34F, "bottom"}},
          {{"map", "centre", true},
           {"text", "right"},
           {"occupancy", "right", true},
           {"lens", "right"},
           {"tuning", "right", false, false},  // there is no room for its tab; the Tune layout has it
           {"timeline", "bottom", true},
           {"kernels", "bottom"},
           {"statistics", "bottom"},
           {"history", "bottom"},
           {"quality", "bottom"},
           {"prompt", "bottom"},
           {"log", "bottom"},
           {"trace", "bottom"}}};
}

// The controls of the tuning panel need some 300 pixels.
Layout tune(float left) {
  return {"tune",
          "Tune",
          1,
          {{"centre", ImGuiDir_Left, left, "left"},
           {"centre", ImGuiDir_Right, 0.5F, "right"},
           {"centre", ImGuiDir_Down, 0.5F, "below"},
           {"right", ImGuiDir_Down, 0.5F, "text"}},
          {{"tuning", "left", true},
           {"prompt", "left"},
           {"compression", "centre", true},
           {"retention", "below", true},
           {"map", "right", true},
           {"occupancy", "right"},
           {"text", "text", true},
           {"quality", "text"},
           {"statistics", "text"}}};
}

Layout profile() {
  return {"profile",
          "Profile",
          1,
          {{"centre", ImGuiDir_Down, 0.42F, "table"},
           {"centre", ImGuiDir_Right, 0.24F, "right"},
           {"table", ImGuiDir_Right, 0.4F, "aside"}},
          {{"timeline", "centre", true},
           {"kernels", "table", true},
           {"statistics", "aside", true},
           {"trace", "aside"},
           {"log", "aside"},
           {"occupancy", "right", true},
           {"text", "right"},
           {"map", "table"}}};
}

// For a room: few panels, large letters.
Layout present() {
  return {"present",
          "Present",
          1.4F,
          {{"centre", ImGuiDir_Left, 0.28F, "left"}, {"left", ImGuiDir_Down, 0.42F, "below"}},
          {{"text", "left", true}, {"occupancy", "below", true}, {"map", "centre", true}}};
}

std::vector<Layout> completed(std::vector<Layout> made) {
  for (Layout& layout : made) complete(layout);
  return made;
}

}  // namespace

const std::vector<Layout>& layouts(bool compact) {
  static const std::vector<Layout> wide = completed({inspect(), tune(0.2F), profile(), present()});
  static const std::vector<Layout> narrow = completed({compact_inspect(), tune(0.25F), profile(), present()});
  return compact ? narrow : wide;
}

const Layout* layout_named(std::string_view name, bool compact) {
  const auto& all = layouts(compact);
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Layout& layout) { return layout.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace app::gui
