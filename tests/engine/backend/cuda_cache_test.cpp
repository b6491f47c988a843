// The host's books of a device's pages against the device's own.
#include <catch2/catch_test_macros.hpp>

#include "engine/backend/cuda_cache.hpp"
#include "tests/engine/backend/cuda_support.hpp"

namespace {

struct Books {
  engine::ModelConfig config;
  engine::PolicyFacts facts;
  kernels::cuda::Stream stream;
  engine::CudaTimer timer{stream, 0, false, nullptr};

  Books() {
    config.layers = 2;
    config.kv_heads = 3;
    config.query_heads = 3;
    config.head_dim = 8;
    config.max_positions = 200;
    facts.kind = engine::PolicyKind::dms;
    facts.window = 5;
  }

  engine::CudaCache cache(std::int64_t bytes) {
    return {config, facts, kernels::DType::bf16, bytes, stream, timer};
  }

  std::int32_t counter(const std::int32_t* on_device) {
    std::int32_t value = 0;
    kernels::cuda::copy_async(&value, on_device, sizeof value, stream.get());
    stream.synchronize();
    return value;
  }
};

constexpr std::int64_t kHeads = 6;

}  // namespace

TEST_CASE("CudaCache, the device's free list holds what the host believes is free") {
  REQUIRE_GPU();
  Books books;
  engine::CudaCache cache = books.cache(std::int64_t{1} << 20);
  CHECK(books.counter(cache.view().free_count) == 0);
  const auto slot = cache.open();
  REQUIRE(slot);
  const std::int32_t tokens = 20;
  REQUIRE(cache.admit(std::span(&*slot, 1), std::span(&tokens, 1), "a test"));
  CHECK(cache.pages_total() >= 2 * kHeads);
  CHECK(cache.pages_free() == cache.pages_total() - 2 * kHeads);
  CHECK(books.counter(cache.view().free_count) == cache.pages_total());
  // Nothing entered after all.
  cache.settle(*slot, std::vector<std::int32_t>(kHeads, 0));
  CHECK(cache.pages_free() == cache.pages_total());
  cache.close(*slot);
  CHECK(books.counter(cache.view().free_count) == cache.pages_free());
  CHECK(books.counter(cache.view().failures) == 0);
}

TEST_CASE("CudaCache, a pool that cannot grow enough refuses and takes nothing") {
  REQUIRE_GPU();
  Books books;
  engine::CudaCache cache = books.cache(std::int64_t{20} * (2 * 16 * 8 * 2 + 17 * 4));
  const auto slot = cache.open();
  REQUIRE(slot);
  const std::int32_t too_many = 64;  // 4 pages of each of 6 heads
  const auto refused = cache.admit(std::span(&*slot, 1), std::span(&too_many, 1), "a test");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("during a test") != std::string::npos);
  CHECK(cache.pages_free() == cache.pages_total());
  const std::int32_t enough = 48;
  CHECK(cache.admit(std::span(&*slot, 1), std::span(&enough, 1), "a test"));
}

TEST_CASE("CudaCache, slots of ended sequences are used again") {
  REQUIRE_GPU();
  Books books;
  engine::CudaCache cache = books.cache(std::int64_t{1} << 20);
  const auto a = cache.open();
  const auto b = cache.open();
  REQUIRE(a);
  REQUIRE(b);
  CHECK(*a != *b);
  cache.close(*a);
  const auto c = cache.open();
  REQUIRE(c);
  CHECK(*c == *a);
  for (int i = 0; i < 20; ++i) CHECK(cache.open());
}
