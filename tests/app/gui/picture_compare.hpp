// Whether two pictures show the same, although fonts and drivers differ a little between machines.
//
// Pictures are compared by the mean colours of square blocks. Other versions of a font move letters by a
// pixel or wrap a word, which changes few blocks and those a little; a panel, a theme or a moment that
// differs changes many of them a lot.
#pragma once

#include <string>

#include "app/gui/host/image.hpp"

namespace gui_tests {

inline constexpr int kBlockSide = 16;             // pixels
inline constexpr double kBlockDistance = 16;      // of mean colours, in levels of 255, red, green and blue
inline constexpr double kDifferentBlocks = 0.04;  // share of them that may be further apart

struct Comparison {
  bool same_size = false;
  int blocks = 0;
  int different = 0;
  double share() const { return blocks > 0 ? static_cast<double>(different) / blocks : 1; }
  bool alike() const { return same_size && share() <= kDifferentBlocks; }
  std::string text() const;  // "5 of 3,600 blocks differ (0.1 %, at most 4 % may)"
};

Comparison compare(const app::gui::Image& expected, const app::gui::Image& actual);

}  // namespace gui_tests
