#include "app/view/format.hpp"

#include <fmt/format.h>

#include <cmath>

namespace app::view {

namespace {

constexpr const char* kMinus = "\u2212";

// "1234567" -> "1,234,567"; what follows a point, or precedes the digits, is left alone.
std::string with_commas(std::string text) {
  const std::size_t end = text.find('.') == std::string::npos ? text.size() : text.find('.');
  for (std::size_t i = end; i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string fixed(double value, int decimals) {
  if (!std::isfinite(value)) return kUnknown;
  const std::string digits = fmt::format("{:.{}f}", std::abs(value), decimals);
  const bool is_zero = digits.find_first_not_of("0.") == std::string::npos;
  return fmt::format("{}{}", value < 0 && !is_zero ? kMinus : "", with_commas(digits));
}

std::string with_unit(double value, int decimals, const char* unit) {
  return std::isfinite(value) ? fmt::format("{}{}{}", fixed(value, decimals), kThinSpace, unit) : kUnknown;
}

// 28, 2.8, 12.5, 128: one decimal as long as it says something.
std::string percent_digits(double percent) {
  const double rounded = std::round(percent * 10) / 10;
  if (std::abs(rounded) >= 100) return fixed(std::round(percent), 0);
  return fixed(rounded, rounded == std::round(rounded) ? 0 : 1);
}

}  // namespace

std::string format_count(std::int64_t count) {
  if (count >= 0) return with_commas(std::to_string(count));
  return fmt::format("{}{}", kMinus, with_commas(std::to_string(0 - static_cast<std::uint64_t>(count))));
}

std::string format_token(std::int64_t position) {
  return fmt::format("#{}", format_count(position));
}

std::string format_head(std::int32_t layer, std::int32_t kv_head) {
  return fmt::format("L{}\u00b7h{}", layer, kv_head);
}

std::string format_ratio(double ratio) {
  return std::isfinite(ratio) ? fixed(ratio, 2) + "\u00d7" : kUnknown;
}

std::string format_kl(double nats) {
  return with_unit(nats, 3, "nats");
}

std::string format_bytes(std::int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes < 1024) return format_count(bytes) + kThinSpace + "B";
  if (value < 0.1 * 1048576) return with_unit(value / 1024, 1, "KiB");
  if (value < 10000.0 * 1048576) return with_unit(value / 1048576, 1, "MiB");
  return with_unit(value / 1073741824, 1, "GiB");
}

std::string format_duration(std::int64_t ns) {
  const auto value = static_cast<double>(ns);
  const double size = std::abs(value);
  if (size < 999'995) return with_unit(value * 1e-3, size < 99'995 ? 2 : 1, "\u00b5s");
  if (size < 999'995'000) return with_unit(value * 1e-6, size < 99'995'000 ? 2 : 1, "ms");
  if (size < 59'995'000'000) return with_unit(value * 1e-9, 2, "s");
  const std::int64_t seconds = (std::abs(ns) + 500'000'000) / 1'000'000'000;
  return fmt::format("{}{}:{:02}{}min", ns < 0 ? kMinus : "", seconds / 60, seconds % 60, kThinSpace);
}

std::string format_percent(double fraction) {
  if (!std::isfinite(fraction)) return kUnknown;
  return percent_digits(fraction * 100) + kThinSpace + "%";
}

std::string format_rate(double per_second, const char* unit) {
  return with_unit(per_second, std::abs(per_second) < 999.95 ? 1 : 0, unit);
}

std::string format_bandwidth(double gb_per_s) {
  return with_unit(gb_per_s, std::abs(gb_per_s) < 99.95 ? 1 : 0, "GB/s");
}

std::string format_counter(double value, const std::string& unit) {
  if (!std::isfinite(value)) return kUnknown;
  if (unit == "bytes") {
    const bool large = std::abs(value) >= 0x1p30;
    return with_unit(value / (large ? 0x1p30 : 0x1p20), 1, large ? "GiB" : "MiB");
  }
  if (unit == "%") return format_percent(value / 100);
  return with_unit(value, std::abs(value) < 9.95 ? 1 : 0, unit.c_str());
}

std::string format_logit(double logit) {
  return std::isnan(logit) ? "none" : fixed(logit, 2);
}

std::string format_change(double from, double to) {
  const double percent = (to / from - 1) * 100;
  if (!std::isfinite(percent)) return kUnknown;
  const std::string digits = percent_digits(percent);
  if (digits == "0") return "the same";
  return fmt::format("{}{}{}%", percent > 0 ? "+" : "", digits, kThinSpace);
}

std::string format_comparison(double a, double b) {
  const double percent = (b / a - 1) * 100;
  if (!std::isfinite(percent)) return kUnknown;
  const std::string digits = percent_digits(std::abs(percent));
  if (digits == "0") return "A and B the same";
  return fmt::format("B {}{}% {}", digits, kThinSpace, percent > 0 ? "higher" : "lower");
}

std::string format_aggregation(double tokens_per_pixel) {
  if (!(tokens_per_pixel > 1)) return {};
  const std::int64_t tokens = std::llround(std::ceil(tokens_per_pixel - 1e-9));
  return fmt::format("aggregated \u00d7{}", format_count(tokens));
}

}  // namespace app::view
