#include "app/view/counter_log.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

using namespace app::view;

namespace {

engine::CounterSample sample(std::int64_t ns, double value, const char* track = "power") {
  return {0, track, "W", ns, value};
}

}  // namespace

TEST_CASE("CounterLog, keeps a track per device and name, with its unit and range") {
  CounterLog log;
  CHECK(log.append(sample(10, 300)));
  CHECK(log.append(sample(20, 420)));
  CHECK(log.append(sample(15, 98, "GPU busy")));
  CHECK(log.append({1, "power", "W", 10, 50}));
  REQUIRE(log.tracks().size() == 3);
  const CounterTrack& power = log.tracks()[0];
  CHECK(power.unit == "W");
  CHECK(power.least == 300);
  CHECK(power.most == 420);
  REQUIRE(power.points.size() == 2);
  CHECK(power.points.at(9) == nullptr);
  CHECK(power.points.at(10)->last == 300);
  CHECK(power.points.at(19)->last == 300);
  CHECK(power.points.at(1000)->last == 420);
  CHECK(log.tracks()[2].device == 1);
}

TEST_CASE("CounterLog, hours fit into bounded memory without losing a peak") {
  CounterLog log;
  constexpr std::int64_t kSamples = 500'000;  // fourteen hours at ten a second
  for (std::int64_t i = 0; i < kSamples; ++i) log.append(sample(i * 100, i == 123'457 ? 999 : 300));
  const CounterView points = log.tracks()[0].points;
  CHECK(points.size() <= CounterLog::kMaxPoints);
  CHECK(points.size() >= CounterLog::kMaxPoints / 2);
  CHECK(log.bytes() <= CounterLog::kMaxPoints * sizeof(CounterPoint));
  float most = 0;
  std::int64_t before = -1;
  for (std::size_t i = 0; i < points.size(); ++i) {
    most = std::max(most, points[i].most);
    REQUIRE(points[i].begin_ns > before);
    before = points[i].end_ns;
  }
  CHECK(most == 999);
  const CounterPoint* peak = points.at(123'457 * 100);
  CHECK(peak->begin_ns <= 123'457 * 100);
  CHECK(peak->most == 999);
}

TEST_CASE("CounterLog, what a reader holds does not change") {
  CounterLog log;
  for (std::int64_t i = 0; i < 1000; ++i) log.append(sample(i, static_cast<double>(i)));
  const CounterView early = log.tracks()[0].points;
  for (std::int64_t i = 1000; i < 50'000; ++i) log.append(sample(i, -1));
  REQUIRE(early.size() == 1000);
  for (std::size_t i = 0; i < early.size(); ++i) REQUIRE(early[i].last == static_cast<float>(i));
}

TEST_CASE("CounterLog, damaged samples are refused or put in order") {
  CounterLog log;
  CHECK_FALSE(log.append(sample(1, std::nan(""))));
  CHECK_FALSE(log.append(sample(1, std::numeric_limits<double>::max())));
  CHECK(log.tracks().empty());
  log.append(sample(100, 1));
  log.append(sample(50, 2));  // a clock that went back
  CHECK(log.tracks()[0].points[1].begin_ns == 100);
  for (std::size_t i = 0; i < 2 * CounterLog::kMaxTracks; ++i)
    log.append(sample(1, 1, ("track " + std::to_string(i)).c_str()));
  CHECK(log.tracks().size() == CounterLog::kMaxTracks);
  CHECK_FALSE(log.append(sample(1, 1, "one more")));
}
