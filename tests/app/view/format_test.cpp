#include "app/view/format.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>

using namespace app::view;

namespace {
const double kNan = std::nan("");
const double kInfinity = INFINITY;
}  // namespace

TEST_CASE("format_count, thousands have commas") {
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(126180) == "126,180");
  CHECK(format_count(-1000) == "−1,000");
  CHECK(format_count(INT64_MIN) == "−9,223,372,036,854,775,808");
  CHECK(format_token(1380) == "#1,380");
  CHECK(format_head(15, 2) == "L15·h2");
}

TEST_CASE("format_ratio, format_kl, format_logit, have fixed decimals") {
  CHECK(format_ratio(2.5751) == "2.58×");
  CHECK(format_ratio(1234.5) == "1,234.50×");
  CHECK(format_ratio(kNan) == "unknown");
  CHECK(format_kl(0.1128) == "0.113 nats");
  CHECK(format_logit(-1.254) == "−1.25");
  CHECK(format_logit(-0.001) == "0.00");
  CHECK(format_logit(kNan) == "none");
}

TEST_CASE("format_bytes, are MiB unless that says nothing") {
  CHECK(format_bytes(13 * 1048576 + 400000) == "13.4 MiB");
  CHECK(format_bytes(512) == "512 B");
  CHECK(format_bytes(20480) == "20.0 KiB");
  CHECK(format_bytes(std::int64_t{5000} * 1048576) == "5,000.0 MiB");
  CHECK(format_bytes(std::int64_t{20480} * 1048576) == "20.0 GiB");
}

TEST_CASE("format_duration, changes the unit before the digits grow") {
  CHECK(format_duration(0) == "0.00 µs");
  CHECK(format_duration(12340) == "12.34 µs");
  CHECK(format_duration(123456) == "123.5 µs");
  CHECK(format_duration(999994) == "1,000.0 µs");
  CHECK(format_duration(999995) == "1.00 ms");
  CHECK(format_duration(1'250'000) == "1.25 ms");
  CHECK(format_duration(2'100'000'000) == "2.10 s");
  CHECK(format_duration(185'000'000'000) == "3:05 min");
  CHECK(format_duration(-1'250'000) == "−1.25 ms");
}

TEST_CASE("format_percent, has at most one decimal") {
  CHECK(format_percent(0.28) == "28 %");
  CHECK(format_percent(1.2851) == "129 %");
  CHECK(format_percent(0.125) == "12.5 %");
  CHECK(format_percent(0.0287) == "2.9 %");
  CHECK(format_percent(0) == "0 %");
  CHECK(format_percent(kInfinity) == "unknown");
  CHECK(format_rate(31.44, "tok/s") == "31.4 tok/s");
  CHECK(format_rate(1234.5, "tok/s") == "1,234 tok/s");
}

TEST_CASE("format_change, carries a sign, and a comparison a word") {
  CHECK(format_change(100, 72) == "−28 %");
  CHECK(format_change(100, 105) == "+5 %");
  CHECK(format_change(100, 100.01) == "the same");
  CHECK(format_change(0, 1) == "unknown");
  CHECK(format_comparison(100, 111) == "B 11 % higher");
  CHECK(format_comparison(100, 95) == "B 5 % lower");
  CHECK(format_comparison(3, 3) == "A and B the same");
}

TEST_CASE("format_aggregation, says how many tokens a pixel holds") {
  CHECK(format_aggregation(1).empty());
  CHECK(format_aggregation(0).empty());
  CHECK(format_aggregation(2) == "aggregated ×2");
  CHECK(format_aggregation(45.2) == "aggregated ×46");
}

TEST_CASE("format_or_unknown, has a word for what is not known") {
  CHECK(format_or_unknown(std::optional<double>(), format_ratio) == "unknown");
  CHECK(format_or_unknown(std::optional(2.0), format_ratio) == "2.00×");
}

TEST_CASE("format_counter, bytes in GiB, small values with a decimal, others whole") {
  CHECK(format_counter(38.25 * 1024 * 1024 * 1024, "bytes") == "38.2\u2009GiB");
  CHECK(format_counter(512.0 * 1024 * 1024, "bytes") == "512.0\u2009MiB");
  CHECK(format_counter(611.7, "W") == "612\u2009W");
  CHECK(format_counter(1980, "MHz") == "1,980\u2009MHz");
  CHECK(format_counter(0, "%") == "0\u2009%");
  CHECK(format_counter(4.25, "W") == "4.2\u2009W");
  CHECK(format_bandwidth(3204.4) == "3,204\u2009GB/s");
  CHECK(format_bandwidth(87.46) == "87.5\u2009GB/s");
}
