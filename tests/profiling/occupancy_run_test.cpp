#include "profiling/occupancy_run.hpp"

#include <catch2/catch_test_macros.hpp>

#include "profiling/schema.hpp"

using namespace profiling;

namespace {

constexpr std::int32_t kPage = 4;

// Appends states and checks that advancing from the first gives each of them.
void check_run(const std::vector<OccupancyState>& states, bool page_bits) {
  OccupancyRunBuilder builder(1, 0, 10, states[0]);
  for (std::size_t i = 1; i < states.size(); ++i) {
    REQUIRE(builder.append(10 + static_cast<std::int64_t>(i), states[i], kPage));
  }
  const OccupancyRun& run = builder.run();
  CHECK(run.allocated_bits.has_value() == page_bits);
  OccupancyState state = run.first;
  for (std::size_t i = 1; i < states.size(); ++i) {
    run.advance(state, static_cast<std::int64_t>(i), kPage);
    CHECK(state.live == states[i].live);
    CHECK(state.allocated == states[i].allocated);
  }
}

}  // namespace

TEST_CASE("OccupancyRun, heads that gain slots and pages by rule need one bit each") {
  check_run({{{3, 8}, {4, 8}}, {{4, 8}, {4, 8}}, {{5, 9}, {8, 12}}, {{5, 10}, {8, 12}}}, false);
}

TEST_CASE("OccupancyRun, pages taken ahead of need have bits of their own") {
  check_run({{{3, 8}, {4, 8}}, {{4, 8}, {8, 8}}, {{5, 9}, {8, 12}}, {{5, 10}, {8, 12}}}, true);
}

TEST_CASE("OccupancyRun, what does not follow begins another run") {
  const OccupancyState state{{3, 8}, {4, 8}};
  OccupancyRunBuilder builder(1, 0, 10, state);
  CHECK_FALSE(builder.append(12, {{3, 8}, {4, 8}}, kPage));   // a step is missing
  CHECK_FALSE(builder.append(11, {{2, 8}, {4, 8}}, kPage));   // a slot is lost
  CHECK_FALSE(builder.append(11, {{5, 8}, {8, 8}}, kPage));   // two are gained
  CHECK_FALSE(builder.append(11, {{3, 8}, {12, 8}}, kPage));  // two pages at once
  CHECK(builder.run().steps == 1);
  REQUIRE(builder.append(11, {{4, 8}, {4, 8}}, kPage));
  CHECK_FALSE(builder.append(12, {{4, 8}, {8, 8}}, kPage));  // ahead of need, but the run goes by rule
}

TEST_CASE("OccupancyRun, a full run takes no more") {
  OccupancyState state{{0}, {kPage}};
  OccupancyRunBuilder builder(1, 0, 0, state);
  for (std::int32_t step = 1; step < kOccupancyRunSteps; ++step) REQUIRE(builder.append(step, state, kPage));
  CHECK_FALSE(builder.append(kOccupancyRunSteps, state, kPage));
}
