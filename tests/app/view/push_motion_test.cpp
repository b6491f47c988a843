#include "app/view/push_motion.hpp"

#include <catch2/catch_test_macros.hpp>

using app::view::PushMotion;

TEST_CASE("PushMotion, one step forward moves for its time and then rests") {
  PushMotion motion;
  motion.update(1, 10, true, 0);
  CHECK_FALSE(motion.moving());
  motion.update(1, 11, true, 5);
  CHECK(motion.moving());
  CHECK(motion.progress() == 0);
  motion.update(1, 11, true, 5 + PushMotion::kSeconds / 2);
  CHECK(motion.moving());
  CHECK(motion.progress() > 0.5);
  CHECK(motion.progress() < 1);
  motion.update(1, 11, true, 5.01 + PushMotion::kSeconds);
  CHECK_FALSE(motion.moving());
  CHECK(motion.progress() == 1);
}

TEST_CASE("PushMotion, another step on the way begins anew") {
  PushMotion motion;
  motion.update(1, 10, true, 0);
  motion.update(1, 11, true, 0);
  motion.update(1, 12, true, 0.3);
  CHECK(motion.progress() == 0);
  motion.update(1, 12, true, 0.5);
  CHECK(motion.moving());
}

TEST_CASE("PushMotion, jumps, steps back, other runs and what plays by itself do not move") {
  PushMotion motion;
  motion.update(1, 10, true, 0);
  SECTION("a jump") {
    motion.update(1, 12, true, 0);
  }
  SECTION("a step back") {
    motion.update(1, 9, true, 0);
  }
  SECTION("another run") {
    motion.update(2, 11, true, 0);
  }
  SECTION("playback") {
    motion.update(1, 11, false, 0);
  }
  SECTION("nothing") {
    motion.update(1, 10, true, 1);
  }
  CHECK_FALSE(motion.moving());
  CHECK(motion.progress() == 1);
}

TEST_CASE("PushMotion, a step back on the way ends it") {
  PushMotion motion;
  motion.update(1, 10, true, 0);
  motion.update(1, 11, true, 0);
  motion.update(1, 10, true, 0.1);
  CHECK_FALSE(motion.moving());
  CHECK(motion.progress() == 1);
}
