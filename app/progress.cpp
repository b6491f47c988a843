#include "app/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace app {

namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);
constexpr std::int64_t kBarCells = 24;

}  // namespace

void Progress::show(std::string_view label, std::int64_t done, std::int64_t total) {
  if (!enabled_) return;
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && label == label_ && done < total && now - last_ < kInterval) return;
  last_ = now;
  label_ = label;
  drawn_ = true;
  const std::int64_t filled =
      total > 0 ? std::clamp<std::int64_t>(kBarCells * done / total, 0, kBarCells) : 0;
  const std::string bar(static_cast<std::size_t>(filled), '#');
  const std::string line = fmt::format("\r\x1b[K{}  [{:<24}]  {} / {}", label, bar, done, total);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

void Progress::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace app
