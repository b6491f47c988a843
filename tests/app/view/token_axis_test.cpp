#include "app/view/token_axis.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using app::view::TokenAxis;
using app::view::TokenRange;

TEST_CASE("TokenAxis, pixels divide the tokens without gap and both ways agree") {
  const std::int32_t tokens = GENERATE(1, 2, 7, 100, 999, 1000, 1001, 32768);
  const std::int32_t width = GENERATE(1, 3, 100, 1000);
  const TokenAxis axis{{50, 50 + tokens}, width};
  CHECK(axis.at(0).begin == 50);
  CHECK(axis.at(width - 1).end == 50 + tokens);
  for (std::int32_t pixel = 0; pixel < width; ++pixel) {
    const TokenRange range = axis.at(pixel);
    REQUIRE(range.size() >= 1);
    REQUIRE(axis.token_at(pixel) == range.begin);
    if (tokens >= width && pixel > 0) REQUIRE(range.begin == axis.at(pixel - 1).end);
  }
  for (std::int32_t token = 50; token < 50 + tokens; ++token) {
    const std::int32_t begin = axis.begin_pixel(token);
    const std::int32_t end = axis.end_pixel(token);
    REQUIRE(begin >= 0);
    REQUIRE(end > begin);
    REQUIRE(end <= width);
    for (std::int32_t pixel = begin; pixel < end; ++pixel) REQUIRE(axis.at(pixel).contains(token));
    if (begin > 0) REQUIRE_FALSE(axis.at(begin - 1).contains(token));
    if (end < width) REQUIRE_FALSE(axis.at(end).contains(token));
  }
}

TEST_CASE("TokenAxis, of no tokens or no pixels answers without dividing by zero") {
  CHECK(TokenAxis{{5, 5}, 100}.begin_pixel(5) == 0);
  CHECK(TokenAxis{{5, 5}, 100}.token_at(50) == 5);
  CHECK(TokenAxis{{5, 9}, 0}.token_at(0) == 5);
  CHECK(TokenAxis{{5, 9}, 0}.tokens_per_pixel() == 0);
}
