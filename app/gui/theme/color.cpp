#include "app/gui/theme/color.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace app::gui {

namespace {

using Linear = std::array<double, 3>;
using Matrix = std::array<Linear, 3>;

double to_linear(std::uint8_t channel) {
  const double value = channel / 255.0;
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

Linear linear(Color color) {
  return {to_linear(color.red), to_linear(color.green), to_linear(color.blue)};
}

double luminance(Color color) {
  const Linear rgb = linear(color);
  return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
}

// Machado, Oliveira and Fernandes (2009), full severity, for linear RGB.
constexpr Matrix kProtanopia{
    {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}};
constexpr Matrix kDeuteranopia{
    {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}};
constexpr Matrix kTritanopia{
    {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};

Linear apply(const Matrix& matrix, const Linear& rgb) {
  Linear seen{};
  for (std::size_t row = 0; row < 3; ++row) {
    const double sum = matrix[row][0] * rgb[0] + matrix[row][1] * rgb[1] + matrix[row][2] * rgb[2];
    seen[row] = std::clamp(sum, 0.0, 1.0);
  }
  return seen;
}

Linear seen_with(Vision vision, const Linear& rgb) {
  switch (vision) {
    case Vision::full:
      return rgb;
    case Vision::protanopia:
      return apply(kProtanopia, rgb);
    case Vision::deuteranopia:
      return apply(kDeuteranopia, rgb);
    case Vision::tritanopia:
      return apply(kTritanopia, rgb);
  }
  return rgb;
}

}  // namespace

Color mix(Color from, Color to, double share) {
  const double part = std::clamp(share, 0.0, 1.0);
  const auto channel = [part](std::uint8_t first, std::uint8_t second) {
    return static_cast<std::uint8_t>(std::lround(first + (second - first) * part));
  };
  return {channel(from.red, to.red), channel(from.green, to.green), channel(from.blue, to.blue),
          channel(from.alpha, to.alpha)};
}

double contrast(Color first, Color second) {
  const auto [dark, light] = std::minmax({luminance(first), luminance(second)});
  return (light + 0.05) / (dark + 0.05);
}

// Ottosson (2020).
Oklab to_oklab(Color color, Vision vision) {
  const Linear rgb = seen_with(vision, linear(color));
  const double l = std::cbrt(0.4122214708 * rgb[0] + 0.5363325363 * rgb[1] + 0.0514459929 * rgb[2]);
  const double m = std::cbrt(0.2119034982 * rgb[0] + 0.6806995451 * rgb[1] + 0.1073969566 * rgb[2]);
  const double s = std::cbrt(0.0883024619 * rgb[0] + 0.2817188376 * rgb[1] + 0.6299787005 * rgb[2]);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

double distance(const Oklab& first, const Oklab& second) {
  return std::hypot(first.lightness - second.lightness, first.a - second.a, first.b - second.b);
}

}  // namespace app::gui
