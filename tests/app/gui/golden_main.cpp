// make_golden: draws the golden pictures anew, see scripts/make_golden. Look at them before they are
// committed.
#include <cstdio>

#include "app/gui/shell/layouts.hpp"
#include "tests/app/gui/golden_scene.hpp"
#include "tests/app/gui/palette_png.hpp"

int main() {
  for (const app::gui::Layout& layout : app::gui::layouts(true)) {
    const auto picture = gui_tests::draw({layout.name});
    const auto path = gui_tests::golden_path(layout.name);
    const auto written =
        picture ? gui_tests::write_palette_png(path, *picture) : engine::Status(picture.error());
    if (!written) {
      std::fprintf(stderr, "make_golden: %s: %s\n", layout.name.c_str(), written.error().message.c_str());
      return 1;
    }
    std::printf("%s\n", path.c_str());
  }
  return 0;
}
