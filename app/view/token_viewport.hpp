// The part of a sequence that the eviction map shows: zoom about a token, pan, follow the newest.
//
// Positions are fractions of tokens, so that slow gestures add up; visible() is what is drawn. While the end
// of the sequence is in view, the view moves with it as the sequence grows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "app/view/token_axis.hpp"

namespace app::view {

class TokenViewport {
 public:
  static constexpr double kFewest = 16;  // tokens that can be seen at least

  std::int32_t total() const { return total_; }
  bool whole() const { return whole_; }
  TokenRange visible() const {
    if (whole_) return {0, total_};
    const auto begin = static_cast<std::int32_t>(std::lround(begin_));
    const auto size = std::max(1, static_cast<std::int32_t>(std::lround(size_)));
    return {std::clamp(begin, 0, std::max(0, total_ - size)), std::min(total_, std::max(0, begin) + size)};
  }

  void set_total(std::int32_t total) {
    const bool at_end = visible().end >= total_;
    const double grown = total - total_;
    total_ = std::max(0, total);
    if (at_end && grown > 0) begin_ += grown;
    settle();
  }
  // `share` in [0, 1]: the place of the axis that keeps its token. Factors above 1 show fewer tokens.
  void zoom(double factor, double share) {
    take_whole();
    const double size = std::clamp<double>(size_ / factor, std::min<double>(kFewest, total_), total_);
    begin_ += (size_ - size) * share;
    size_ = size;
    settle();
  }
  void pan(double tokens) {
    if (whole_) return;
    begin_ += tokens;
    settle();
  }
  void show(TokenRange tokens) {
    whole_ = false;
    size_ = std::max<double>(kFewest, tokens.size());
    begin_ = (static_cast<double>(tokens.begin) + tokens.end - size_) / 2;
    settle();
  }
  void reset() { whole_ = true; }

 private:
  void take_whole() {
    if (!whole_) return;
    whole_ = false;
    begin_ = 0;
    size_ = total_;
  }
  void settle() {
    if (whole_) return;
    if (size_ >= total_) {
      whole_ = true;
      return;
    }
    begin_ = std::clamp(begin_, 0.0, total_ - size_);
  }

  std::int32_t total_ = 0;
  bool whole_ = true;
  double begin_ = 0;
  double size_ = 0;
};

}  // namespace app::view
