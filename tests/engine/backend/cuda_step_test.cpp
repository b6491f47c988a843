#include "engine/backend/cuda_step.hpp"

#include <catch2/catch_test_macros.hpp>

#include "engine/backend/head_rows.hpp"

namespace {

using engine::LogitRows;
using Ids = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("CudaStep, decoding sequences come first, chunks after them in their order") {
  const std::vector<engine::TokenId> text{1, 2, 3, 4, 5, 6};
  const std::span<const engine::TokenId> all(text);
  const engine::StepInput inputs[] = {{7, all.first(3), LogitRows::all},
                                      {8, all.subspan(3, 1), LogitRows::last},
                                      {9, all.subspan(4, 2), LogitRows::none, true},
                                      {5, all.first(1), LogitRows::none}};
  const int slots[] = {0, 1, 2, 3};
  const std::int32_t lengths[] = {0, 10, 20, 30};
  const engine::CudaStep step = engine::lay_out_step(inputs, slots, lengths);
  CHECK(step.rows == 7);
  CHECK(step.decode_rows == 2);
  CHECK(step.tokens == Ids{4, 1, 1, 2, 3, 5, 6});
  CHECK(step.positions == Ids{10, 30, 0, 1, 2, 20, 21});
  CHECK(step.slots == Ids{1, 3});
  CHECK(step.first_rows == Ids{2, 0, 5, 1});
  REQUIRE(step.chunks.size() == 2);
  CHECK(step.chunks[1].slot == 2);
  CHECK(step.chunks[1].row == 5);
  CHECK_FALSE(step.decodes_only());

  const engine::HeadRows head = engine::plan_head_rows(inputs, step.first_rows);
  CHECK(head.rows == Ids{2, 3, 4, 0, 6});
  CHECK(head.given == 4);
  CHECK(head.last == std::vector<std::int64_t>{2, 3, 4, -1});
}

TEST_CASE("CudaStep, a decode step is recorded for the next power of two") {
  CHECK(engine::decode_bucket(1) == 1);
  CHECK(engine::decode_bucket(2) == 2);
  CHECK(engine::decode_bucket(3) == 4);
  CHECK(engine::decode_bucket(32) == 32);
  CHECK(engine::decode_bucket(33) == 64);
}
