#include "engine/backend/cuda_page_budget.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <vector>

#include "engine/backend/cuda_errors.hpp"

TEST_CASE("PageBudget, a head takes a page only when its last one is full") {
  const std::vector<std::int32_t> live{0, 1, 15, 16, 17};
  CHECK(engine::pages_held(live) == 0 + 1 + 1 + 1 + 2);
  CHECK(engine::pages_wanted(live, 1) == 1 + 0 + 0 + 1 + 0);
  CHECK(engine::pages_wanted(live, 17) == 2 + 1 + 1 + 2 + 1);
  CHECK(engine::pages_wanted({}, 17) == 0);
}

TEST_CASE("PageBudget, what was admitted covers every step, whatever is evicted") {
  std::mt19937 random(3);
  std::vector<std::int32_t> live(12);
  engine::PageBudget budget;
  budget.grow(400);
  for (int step = 0; step < 200; ++step) {
    const std::int32_t tokens = 1 + static_cast<std::int32_t>(random() % 20);
    const std::int64_t wanted = engine::pages_wanted(live, tokens);
    if (budget.missing(wanted) > 0) break;
    const std::int64_t before = engine::pages_held(live);
    budget.take(wanted);
    for (std::int32_t& slots : live)
      slots += static_cast<std::int32_t>(random()) & 0x7fff ? tokens / 2 : tokens;
    const std::int64_t taken = engine::pages_held(live) - before;
    REQUIRE(taken <= wanted);
    budget.release(wanted - taken);
    REQUIRE(budget.held() == engine::pages_held(live));
  }
  CHECK(budget.held() > 300);
}

TEST_CASE("PageBudget, tells how much is missing") {
  engine::PageBudget budget;
  budget.grow(10);
  budget.take(7);
  CHECK(budget.missing(3) == 0);
  CHECK(budget.missing(5) == 2);
  budget.release(7);
  CHECK(budget.free() == 10);
}

TEST_CASE("CUDA errors, people read what happened, and only a refused allocation is survived") {
  const engine::Error memory = engine::cuda_error(2, "cudaErrorMemoryAllocation", "a step of 3 tokens");
  CHECK(memory.message ==
        "the GPU is out of memory during a step of 3 tokens: cudaErrorMemoryAllocation (2)");
  CHECK(engine::survives_cuda_error(2));
  for (const int code : {46, 700, 719, 999, 12345}) {
    CHECK_FALSE(engine::survives_cuda_error(code));
    CHECK(engine::cuda_error(code, "name", "a step").message.find(std::to_string(code)) != std::string::npos);
  }
}
