// Colours as plain numbers: no Dear ImGui, so that the tests and view models can use them.
#pragma once

#include <cstdint>

namespace app::gui {

// sRGB, 8 bits a channel.
struct Color {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  std::uint8_t alpha = 255;

  friend bool operator==(const Color&, const Color&) = default;
};

// 0xRRGGBB.
constexpr Color hex(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value), 255};
}

constexpr Color with_alpha(Color color, double alpha) {
  color.alpha = static_cast<std::uint8_t>(alpha * 255 + 0.5);
  return color;
}

// Straight between two colours, share 0 to 1 of `to`.
Color mix(Color from, Color to, double share);

// WCAG 2 contrast ratio, 1 to 21.
double contrast(Color first, Color second);

struct Oklab {
  double lightness, a, b;
};

// What people with full colour vision, or without one of the three cones, see.
enum class Vision { full, protanopia, deuteranopia, tritanopia };
Oklab to_oklab(Color color, Vision vision = Vision::full);
double distance(const Oklab& first, const Oklab& second);

}  // namespace app::gui
