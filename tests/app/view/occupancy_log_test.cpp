#include "app/view/occupancy_log.hpp"

#include <catch2/catch_test_macros.hpp>

using app::view::OccupancyBlock;
using Slots = std::vector<std::int32_t>;

TEST_CASE("OccupancyBlock, every state reads as it was written") {
  OccupancyBlock block(Slots{100, 7}, Slots{128, 32});
  REQUIRE(block.append(Slots{101, 7}, Slots{128, 32}));
  REQUIRE(block.append(Slots{227, 0}, Slots{255, 0}));
  CHECK(block.states() == 3);
  CHECK(block.live(0, 0) == 100);
  CHECK(block.live(1, 0) == 101);
  CHECK(block.live(2, 0) == 227);
  CHECK(block.live(2, 1) == 0);
  CHECK(block.allocated(0, 1) == 32);
  CHECK(block.allocated(2, 0) == 255);
  CHECK(block.allocated(2, 1) == 0);
}

TEST_CASE("OccupancyBlock, a state too far from the first one is refused whole") {
  OccupancyBlock block(Slots{0, 0}, Slots{0, 0});
  CHECK_FALSE(block.append(Slots{1, 128}, Slots{0, 0}));
  CHECK_FALSE(block.append(Slots{1, 1}, Slots{0, -129}));
  CHECK(block.append(Slots{127, -128}, Slots{1, 1}));
  CHECK(block.live(1, 0) == 127);
  CHECK(block.live(1, 1) == -128);
}

TEST_CASE("OccupancyBlock, a full block is refused") {
  OccupancyBlock block(Slots{0}, Slots{0});
  for (std::int32_t i = 1; i < OccupancyBlock::kStates; ++i) REQUIRE(block.append(Slots{i}, Slots{i}));
  CHECK_FALSE(block.append(Slots{1}, Slots{1}));
}
