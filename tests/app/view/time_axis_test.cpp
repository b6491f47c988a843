#include "app/view/time_axis.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace app::view;

namespace {

constexpr TimeRange kLimits{0, 1'000'000};

}  // namespace

TEST_CASE("zoom_at, the time under the pointer stays where it is") {
  const TimeRange before{200'000, 600'000};
  const TimeRange after = zoom_at(before, 0.5, 300'000, kLimits);
  CHECK(after == TimeRange{250'000, 450'000});
  CHECK(zoom_at(after, 2, 300'000, kLimits) == before);
}

TEST_CASE("zoom_at, ends at the limits and at the shortest view") {
  CHECK(zoom_at({200'000, 600'000}, 100, 300'000, kLimits) == kLimits);
  const TimeRange closest = zoom_at({200'000, 600'000}, 1e-9, 300'000, kLimits);
  CHECK(closest.end_ns - closest.begin_ns == kShortestView);
  CHECK(closest.begin_ns <= 300'000);
  CHECK(closest.end_ns >= 300'000);
  const TimeRange at_end = zoom_at({800'000, 1'000'000}, 2, 1'000'000, kLimits);
  CHECK(at_end == TimeRange{600'000, 1'000'000});
}

TEST_CASE("move_by, keeps the length and the limits") {
  CHECK(move_by({0, 100}, 50, kLimits) == TimeRange{50, 150});
  CHECK(move_by({0, 100}, -50, kLimits) == TimeRange{0, 100});
  CHECK(move_by({0, 100}, 5'000'000, kLimits) == TimeRange{999'900, 1'000'000});
  CHECK(move_by({0, 2'000'000}, 10, kLimits).begin_ns == 0);
}

TEST_CASE("time_ticks, are round, apart, and count from their origin") {
  const TimelineView view{{1'000'000, 1'040'000}, 400};
  const auto ticks = time_ticks(view, 1'000'000, 90);
  REQUIRE(ticks.size() == 5);
  CHECK(ticks[0].text == "0\u2009\u00b5s");
  CHECK(ticks[1].text == "10\u2009\u00b5s");
  CHECK(ticks[1].x == 100);
  CHECK(ticks[4].text == "40\u2009\u00b5s");
}

TEST_CASE("time_ticks, say what a tick of a part of a unit is") {
  const TimelineView view{{12'345'000'000, 12'345'004'000}, 400};
  const auto ticks = time_ticks(view, 0, 90);
  REQUIRE(ticks.size() >= 4);
  CHECK(ticks[0].text == "12.345000\u2009s");
  CHECK(ticks[1].text == "12.345001\u2009s");
  const auto before = time_ticks({{-2'000, 2'000}, 400}, 0, 90);
  CHECK(before.front().text == "\u22122\u2009\u00b5s");
}

TEST_CASE("time_ticks, absurd views have few ticks or none") {
  CHECK(time_ticks({{0, 0}, 400}, 0, 90).empty());
  CHECK(time_ticks({{0, 100}, 0}, 0, 90).empty());
  CHECK(time_ticks({{0, 100}, 400}, 0, 0).empty());
  CHECK(time_ticks({{0, INT64_MAX / 2}, 400}, 0, 0.001F).size() <= 512);
  CHECK(time_ticks({{0, 1}, 400}, 0, 90).size() <= 2);
}
