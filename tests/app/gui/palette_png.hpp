// Golden pictures as files: PNGs of at most 256 colours, which keeps them small in the repository.
#pragma once

#include <filesystem>

#include "app/gui/host/image.hpp"

namespace gui_tests {

// The nearest picture of at most 256 colours.
engine::Status write_palette_png(const std::filesystem::path& path, const app::gui::Image& image);
// Only what write_palette_png writes. Errors name the file.
engine::Result<app::gui::Image> read_palette_png(const std::filesystem::path& path);

}  // namespace gui_tests
