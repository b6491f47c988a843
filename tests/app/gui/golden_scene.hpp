// What the golden pictures show: the sample trace at a moment with a pinned token, drawn off-screen.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "app/gui/host/image.hpp"
#include "app/gui/settings/settings.hpp"

namespace gui_tests {

struct GoldenScene {
  std::string layout;
  std::int32_t position = 1040;
  app::gui::Settings settings = {};
};

// Fails, with the host's reason, where nothing can be drawn.
engine::Result<app::gui::Image> draw(const GoldenScene& scene);
// tests/app/gui/golden/LAYOUT.png
std::filesystem::path golden_path(const std::string& layout);

}  // namespace gui_tests
