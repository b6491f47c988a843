#include "tests/app/gui/picture_compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace gui_tests {

namespace {

std::array<double, 3> mean_color(const app::gui::Image& image, int left, int top) {
  const int right = std::min(left + kBlockSide, image.width);
  const int bottom = std::min(top + kBlockSide, image.height);
  std::array<double, 3> sum{};
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) {
      for (std::size_t channel = 0; channel < 3; ++channel) sum[channel] += image.pixel(x, y)[channel];
    }
  }
  for (double& channel : sum) channel /= (right - left) * (bottom - top);
  return sum;
}

}  // namespace

std::string Comparison::text() const {
  if (!same_size) return "the sizes differ";
  return fmt::format("{} of {} blocks differ ({:.1f} %, at most {:.0f} % may)", different, blocks,
                     100 * share(), 100 * kDifferentBlocks);
}

Comparison compare(const app::gui::Image& expected, const app::gui::Image& actual) {
  Comparison result;
  result.same_size = expected.width == actual.width && expected.height == actual.height;
  if (!result.same_size) return result;
  for (int top = 0; top < expected.height; top += kBlockSide) {
    for (int left = 0; left < expected.width; left += kBlockSide) {
      const auto a = mean_color(expected, left, top), b = mean_color(actual, left, top);
      const double distance = std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
      ++result.blocks;
      result.different += distance > kBlockDistance ? 1 : 0;
    }
  }
  return result;
}

}  // namespace gui_tests
