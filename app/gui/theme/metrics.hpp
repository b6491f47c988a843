// Sizes of the window in pixels at 100 %; Metrics scales them.
#pragma once

#include <cmath>

namespace app::gui {

namespace text_size {
inline constexpr float kAxis = 10;     // dense axes only
inline constexpr float kCaption = 11;  // captions and axes
inline constexpr float kTable = 12;    // tables and controls
inline constexpr float kBody = 13;     // body and titles
inline constexpr float kFigure = 16;   // step number, key figures
inline constexpr float kWelcome = 22;
}  // namespace text_size

namespace height {
inline constexpr float kMenu = 28, kTransport = 64, kTab = 24, kToolbar = 24, kToolbarControl = 20;
inline constexpr float kTableHeader = 18, kTableRow = 18, kTextLine = 20, kLane = 17, kKernelLane = 24,
                       kThinLane = 13, kWaitRow = 5;
inline constexpr float kStatus = 22, kButton = 28, kMeter = 22;
}  // namespace height

inline constexpr float kPanelPadding = 8, kPanelGap = 4, kControlRadius = 3, kCardRadius = 4,
                       kPillRadius = 12;
inline constexpr float kMinScale = 0.75F, kMaxScale = 4.0F;

class Metrics {
 public:
  explicit Metrics(float scale = 1) : scale_(scale) {}
  float scale() const { return scale_; }
  // Whole pixels, so that edges stay crisp at fractional scales; at least one for anything above zero.
  float px(float at_100_percent) const {
    const float scaled = std::round(at_100_percent * scale_);
    return at_100_percent > 0 && scaled < 1 ? 1 : scaled;
  }

 private:
  float scale_;
};

}  // namespace app::gui
