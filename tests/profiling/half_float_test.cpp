#include "profiling/half_float.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

using profiling::float_from_half;
using profiling::half_from_float;

TEST_CASE("half_float, every half survives the way to float and back") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = float_from_half(half);
    if (std::isnan(value)) {
      REQUIRE((half & 0x7c00) == 0x7c00);
      REQUIRE(half_from_float(value) == profiling::kHalfNan);
    } else {
      REQUIRE(half_from_float(value) == half);
    }
  }
}

TEST_CASE("half_float, values between two halves round to the nearest, ties to even") {
  CHECK(half_from_float(1.0f + 0x1p-11f) == half_from_float(1.0f));
  CHECK(half_from_float(1.0f + 0x1p-11f + 0x1p-20f) == half_from_float(1.0f + 0x1p-10f));
  CHECK(half_from_float(1.0f + 3 * 0x1p-11f) == half_from_float(1.0f + 2 * 0x1p-10f));
  CHECK(half_from_float(0x1p-25f) == 0);
  CHECK(half_from_float(0x1.8p-25f) == 1);
  CHECK(half_from_float(-0.1f) == 0xae66);
}

TEST_CASE("half_float, finite values too large for a half stay finite") {
  CHECK(float_from_half(half_from_float(1e6f)) == 65504.0f);
  CHECK(float_from_half(half_from_float(-65520.0f)) == -65504.0f);
  CHECK(std::isinf(float_from_half(half_from_float(std::numeric_limits<float>::infinity()))));
}
