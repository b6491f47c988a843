// A horizontal axis of whole pixels over a range of tokens: which tokens a pixel shows, where a token is.
//
// With more tokens than pixels every pixel has at least one token and every token exactly one pixel; with
// fewer every token has at least one pixel. The first pixel shows the first token and the last one the last.
#pragma once

#include <algorithm>
#include <cstdint>

namespace app::view {

struct TokenRange {
  std::int32_t begin = 0;
  std::int32_t end = 0;
  std::int32_t size() const { return end - begin; }
  bool contains(std::int32_t position) const { return begin <= position && position < end; }
  bool operator==(const TokenRange&) const = default;
};

struct TokenAxis {
  TokenRange tokens;
  std::int32_t width = 0;  // pixels

  double tokens_per_pixel() const { return width > 0 ? static_cast<double>(tokens.size()) / width : 0; }

  // Tokens of a pixel in [0, width).
  TokenRange at(std::int32_t pixel) const {
    const std::int32_t begin = edge(pixel);
    return {begin, std::max(edge(pixel + 1), begin + 1)};
  }
  // The token at a pixel, clamped to the ends.
  std::int32_t token_at(std::int32_t pixel) const {
    return std::clamp(edge(pixel), tokens.begin, std::max(tokens.begin, tokens.end - 1));
  }
  // First pixel that shows the token, and one past the last.
  std::int32_t begin_pixel(std::int32_t token) const {
    if (tokens.size() <= 0) return 0;
    if (tokens.size() <= width) return first_pixel_with_edge(token);
    // The only pixel p with edge(p) <= token < edge(p + 1).
    const std::int32_t next = first_pixel_with_edge(token + 1);
    return std::clamp(next - 1, 0, width - 1);
  }
  std::int32_t end_pixel(std::int32_t token) const {
    return tokens.size() <= width ? first_pixel_with_edge(token + 1) : begin_pixel(token) + 1;
  }

 private:
  // First token of a pixel: floor(pixel * tokens / width).
  std::int32_t edge(std::int32_t pixel) const {
    if (width <= 0) return tokens.begin;
    return tokens.begin + static_cast<std::int32_t>(std::int64_t{pixel} * tokens.size() / width);
  }
  // The smallest pixel whose first token is at least `token`: ceil((token - begin) * width / tokens).
  std::int32_t first_pixel_with_edge(std::int32_t token) const {
    const std::int64_t scaled = std::int64_t{token - tokens.begin} * width;
    const std::int64_t pixel = (scaled + tokens.size() - 1) / tokens.size();
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(pixel, 0, width));
  }
};

}  // namespace app::view
