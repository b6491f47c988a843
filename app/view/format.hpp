// Numbers as every panel writes them: thousands with a comma, the unit after a thin space, ratios with two
// decimals, bytes in MiB, times in the unit that keeps the digits few. Unknown is a word, not applicable a
// dash.
//
// Text is UTF-8. Minus is U+2212, so that digits and signs have the width of digits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace app::view {

inline constexpr const char* kThinSpace = "\u2009";
inline constexpr const char* kUnknown = "unknown";
inline constexpr const char* kNotApplicable = "\u2013";

std::string format_count(std::int64_t count);                       // 126,180
std::string format_token(std::int64_t position);                    // #1,380
std::string format_head(std::int32_t layer, std::int32_t kv_head);  // L15·h2
std::string format_ratio(double ratio);                             // 2.58×
std::string format_kl(double nats);                                 // 0.113 nats
std::string format_bytes(std::int64_t bytes);  // 12.3 MiB; KiB and B below 0.1 MiB, GiB from 10,000
std::string format_duration(std::int64_t ns);  // 12.34 µs, 1.25 ms, 2.10 s, 3:05 min
std::string format_percent(double fraction);   // 12.5 %, 28 %
std::string format_rate(double per_second, const char* unit);  // 31.4 tok/s
std::string format_bandwidth(double gb_per_s);                 // 3,204 GB/s, 87.5 GB/s
// A sample of a counter: bytes in GiB or MiB, what else there is without decimals from 10 on.
std::string format_counter(double value, const std::string& unit);  // 38.2 GiB, 612 W, 1,980 MHz, 98 %
std::string format_logit(double logit);                             // −1.25; "none" for NaN
// "−28 %", "+5 %", "the same"; unknown when there is nothing to compare with.
std::string format_change(double from, double to);
// "B 11 % higher", "B 5 % lower", "A and B the same".
std::string format_comparison(double a, double b);
// "aggregated ×46" for a pixel of 46 tokens; empty for one token or less.
std::string format_aggregation(double tokens_per_pixel);

template <typename T, typename Format>
std::string format_or_unknown(const std::optional<T>& value, const Format& format) {
  return value ? format(*value) : std::string(kUnknown);
}

}  // namespace app::view
