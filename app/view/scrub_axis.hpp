// The axis of the scrubber: the prompt compressed to a share of the width, decode linear, room for what is
// still to come.
//
// Pixels count from 0; positions are those of one sequence.
#pragma once

#include <algorithm>
#include <cstdint>

#include "app/view/token_axis.hpp"

namespace app::view {

struct ScrubAxis {
  static constexpr double kPromptShare = 0.16;

  TokenAxis prompt;
  TokenAxis decode;

  std::int32_t width() const { return prompt.width + decode.width; }
  std::int32_t end() const { return decode.tokens.end; }

  std::int32_t position_at(std::int32_t pixel) const {
    if (pixel < prompt.width || decode.width <= 0) return prompt.token_at(std::min(pixel, prompt.width - 1));
    return decode.token_at(std::min(pixel - prompt.width, decode.width - 1));
  }
  // First pixel of a position; the width for one past the last.
  std::int32_t pixel_of(std::int32_t position) const {
    if (position < prompt.tokens.end && prompt.width > 0) return prompt.begin_pixel(position);
    if (position >= end() || decode.width <= 0) return width();
    return prompt.width + decode.begin_pixel(position);
  }
  TokenRange at(std::int32_t pixel) const {
    return pixel < prompt.width ? prompt.at(pixel) : decode.at(pixel - prompt.width);
  }
  bool operator==(const ScrubAxis& other) const {
    return prompt.tokens == other.prompt.tokens && prompt.width == other.prompt.width &&
           decode.tokens == other.decode.tokens && decode.width == other.decode.width;
  }
};

// `prompt` positions of prefill and `end` in all, of which some may be still to come.
inline ScrubAxis scrub_axis(std::int32_t prompt, std::int32_t end, std::int32_t width) {
  ScrubAxis axis;
  axis.prompt.tokens = {0, prompt};
  axis.decode.tokens = {prompt, std::max(prompt, end)};
  axis.prompt.width = static_cast<std::int32_t>(static_cast<double>(width) * ScrubAxis::kPromptShare);
  if (prompt <= 0) axis.prompt.width = 0;
  if (end <= prompt) axis.prompt.width = width;
  axis.decode.width = width - axis.prompt.width;
  return axis;
}

// Where the axis of a run ends that grows without a known budget: seldom another value, so that the curves
// stand still in between.
inline std::int32_t roomy_end(std::int32_t positions) {
  std::int32_t step = 64;
  while (step < positions / 8) step *= 2;
  return (positions / step + 1) * step;
}

}  // namespace app::view
