// One line of progress on a terminal's standard error, rewritten in place; nothing at all elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace app {

class Progress {
 public:
  explicit Progress(bool enabled) : enabled_(enabled) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // "label  [####    ]  512 / 2048". Draws a label at most ten times a second.
  void show(std::string_view label, std::int64_t done, std::int64_t total);
  void clear();

 private:
  bool enabled_;
  bool drawn_ = false;
  std::string label_;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace app
