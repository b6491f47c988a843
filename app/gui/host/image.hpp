// A picture in memory, and as a PNG file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "engine/events/result.hpp"

namespace app::gui {

// RGBA, 8 bits each, rows from the top without padding.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgba;

  const std::uint8_t* pixel(int x, int y) const { return &rgba[4 * index(x, y)]; }
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
  }
};

// The part of `image` inside the rectangle, which is clipped to it; possibly empty.
Image crop(const Image& image, int left, int top, int width, int height);

// An opaque RGB PNG: a window has no transparent pixels.
engine::Result<std::vector<std::byte>> encode_png(const Image& image);
// Appears under its name only when complete. Errors name the file.
engine::Status write_png(const std::filesystem::path& path, const Image& image);

}  // namespace app::gui
