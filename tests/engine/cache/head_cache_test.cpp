#include "engine/cache/head_cache.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "kernels/cpu/ops.hpp"

namespace {

using engine::HeadCache;

constexpr std::int32_t kForever = std::numeric_limits<std::int32_t>::max();
const engine::SlotLayout kLayout{8, kernels::DType::f32};

std::vector<std::int32_t> tokens_of(const HeadCache& cache) {
  return {cache.positions().begin(), cache.positions().end()};
}

}  // namespace

TEST_CASE("HeadCache, a marked token gives its slot to the token that pushes it out of the window") {
  engine::PageArena arena(kLayout.page_bytes());
  HeadCache cache(kLayout, arena, /*window=*/2, /*max_positions=*/100);
  cache.admit(0);
  cache.mark(0);
  cache.admit(1);
  cache.admit(2);
  // Query 2 still sees token 0: 2 - 0 <= window.
  CHECK(tokens_of(cache) == std::vector<std::int32_t>{0, 1, 2});
  CHECK(cache.admit(3) == 0);
  CHECK(tokens_of(cache) == std::vector<std::int32_t>{3, 1, 2});
  // Token 1 was never marked: it stays when it leaves the window.
  CHECK(cache.admit(4) == 3);
  CHECK(tokens_of(cache) == std::vector<std::int32_t>{3, 1, 2, 4});
}

TEST_CASE("HeadCache, a reused slot is judged by its new token alone") {
  engine::PageArena arena(kLayout.page_bytes());
  HeadCache cache(kLayout, arena, 1, 100);
  cache.admit(0);
  cache.mark(0);
  cache.admit(1);
  REQUIRE(cache.admit(2) == 0);
  cache.admit(3);
  // Token 2, in token 0's old slot, is not marked and must survive.
  cache.admit(4);
  CHECK(tokens_of(cache) == std::vector<std::int32_t>{2, 1, 3, 4});
}

TEST_CASE("HeadCache, window 0 evicts a token as the next one arrives") {
  engine::PageArena arena(kLayout.page_bytes());
  HeadCache cache(kLayout, arena, 0, 100);
  cache.admit(0);
  cache.mark(0);
  CHECK(cache.admit(1) == 0);
  CHECK(cache.live() == 1);
  cache.admit(2);
  CHECK(tokens_of(cache) == std::vector<std::int32_t>{1, 2});
}

TEST_CASE("HeadCache, last_query tells how long a marked token stays visible") {
  engine::PageArena arena(kLayout.page_bytes());
  HeadCache cache(kLayout, arena, 3, 100);
  cache.admit(0);
  cache.admit(1);
  cache.mark(1);
  CHECK(cache.last_query(0) == kForever);
  CHECK(cache.last_query(1) == 4);
}

TEST_CASE("HeadCache, a window of all positions never evicts") {
  engine::PageArena arena(kLayout.page_bytes());
  HeadCache cache(kLayout, arena, 100, 100);
  for (std::int32_t t = 0; t < 100; ++t) {
    cache.admit(t);
    cache.mark(t);
  }
  CHECK(cache.live() == 100);
  CHECK(cache.last_query(5) == kForever);
}

TEST_CASE("HeadCache, pages are taken as slots need them and given back") {
  engine::PageArena arena(kLayout.page_bytes());
  void* first = nullptr;
  {
    HeadCache cache(kLayout, arena, 100, 100);
    CHECK(cache.allocated() == 0);
    for (std::int32_t t = 0; t < kernels::kPageSlots; ++t) cache.admit(t);
    CHECK(cache.allocated() == kernels::kPageSlots);
    cache.admit(kernels::kPageSlots);
    CHECK(cache.allocated() == 2 * kernels::kPageSlots);
    first = cache.key(0);
  }
  HeadCache next(kLayout, arena, 100, 100);
  next.admit(0);
  const void* again = next.key(0);
  next.admit(1);
  // The arena reuses what was released: one of the two pages comes back.
  for (std::int32_t t = 2; t <= kernels::kPageSlots; ++t) next.admit(t);
  CHECK((again == first || next.key(kernels::kPageSlots) == first));
}

TEST_CASE("HeadCache, a clone has the same tokens, its own memory and its own future") {
  engine::PageArena arena(kLayout.page_bytes());
  HeadCache cache(kLayout, arena, 1, 100);
  cache.admit(0);
  cache.mark(0);
  cache.admit(1);
  static_cast<float*>(cache.key(0))[0] = 42;
  HeadCache copy = cache.clone();
  CHECK(static_cast<const float*>(copy.key(0))[0] == 42);
  CHECK(copy.admit(2) == 0);
  CHECK(tokens_of(copy) == std::vector<std::int32_t>{2, 1});
  CHECK(tokens_of(cache) == std::vector<std::int32_t>{0, 1});
  static_cast<float*>(copy.key(0))[0] = 7;
  CHECK(static_cast<float*>(cache.key(0))[0] == 42);
}

TEST_CASE("HeadCache, live tokens equal the closed form at every step, for random decisions") {
  std::mt19937 random(7);
  for (const std::int32_t window : {0, 1, 2, 7, 63, 64, 65}) {
    engine::PageArena arena(kLayout.page_bytes());
    HeadCache cache(kLayout, arena, window, 1000);
    std::vector<bool> marked;
    std::int32_t before = 0;
    for (std::int32_t s = 0; s < 300; ++s) {
      cache.admit(s);
      marked.push_back(random() % 3 != 0);
      if (marked.back()) cache.mark(s);
      std::map<std::int32_t, int> expected;
      for (std::int32_t t = 0; t <= s; ++t) {
        if (s - t <= window || !marked[static_cast<std::size_t>(t)]) expected[t] = 1;
      }
      std::map<std::int32_t, int> found;
      for (const std::int32_t t : cache.positions()) ++found[t];
      REQUIRE(found == expected);
      REQUIRE(cache.live() >= before);  // live slots of a head never decrease
      before = cache.live();
    }
  }
}
