#include "app/view/scrub_axis.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace app::view;

TEST_CASE("ScrubAxis, the prompt takes 16 % and decode the rest") {
  const ScrubAxis axis = scrub_axis(1000, 1256, 1000);
  CHECK(axis.prompt.width == 160);
  CHECK(axis.decode.width == 840);
  CHECK(axis.pixel_of(0) == 0);
  CHECK(axis.pixel_of(1000) == 160);
  CHECK(axis.pixel_of(1256) == 1000);
  CHECK(axis.position_at(0) == 0);
  CHECK(axis.position_at(159) < 1000);
  CHECK(axis.position_at(160) == 1000);
  CHECK(axis.position_at(999) == 1255);
}

TEST_CASE("ScrubAxis, without decode or without a prompt one part has all of it") {
  CHECK(scrub_axis(1000, 1000, 500).prompt.width == 500);
  CHECK(scrub_axis(1000, 400, 500).prompt.width == 500);
  CHECK(scrub_axis(0, 100, 500).decode.width == 500);
  CHECK(scrub_axis(0, 100, 500).position_at(499) == 99);
  CHECK(scrub_axis(100, 100, 500).position_at(499) == 99);
}

TEST_CASE("ScrubAxis, a position's pixel leads back to it where there is room for all") {
  for (const std::int32_t width : {400, 997}) {
    const ScrubAxis axis = scrub_axis(37, 120, width);
    for (std::int32_t position = 0; position < 120; ++position)
      CHECK(axis.position_at(axis.pixel_of(position)) == position);
  }
}

TEST_CASE("ScrubAxis, a run without a budget has room and seldom changes it") {
  std::int32_t changes = 0, before = 0;
  for (std::int32_t positions = 1; positions <= 32768; ++positions) {
    const std::int32_t end = roomy_end(positions);
    CHECK(end > positions);
    changes += end != before ? 1 : 0;
    before = end;
  }
  CHECK(changes < 100);
  CHECK(roomy_end(32768) < 32768 + 32768 / 4);
}
