#include <catch2/catch_test_macros.hpp>

#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;

TEST_CASE("A trace, of 32,768 tokens at 36 x 8 heads takes at most 25 MB") {
  const TemporaryFolder folder;
  const SyntheticOptions options{.layers = 36,
                                 .kv_heads = 8,
                                 .prompt_tokens = 64,
                                 .prefill_chunk = 64,
                                 .window = 512,
                                 .page_slots = 32,
                                 .spans_per_step = 0};
  record(folder / "t.db", options, 32'768 - 64);
  CHECK(std::filesystem::file_size(folder / "t.db") <= 25'000'000);
  CHECK_FALSE(std::filesystem::exists(folder / "t.db-wal"));
  CHECK_FALSE(std::filesystem::exists(folder / "t.db-shm"));
}

TEST_CASE("A trace, takes at most 45 bytes for a kernel row with its index") {
  const TemporaryFolder folder;
  constexpr int kSteps = 1000, kSpans = 150;
  const SyntheticOptions without{.layers = 30, .kv_heads = 3, .spans_per_step = 0};
  SyntheticOptions with = without;
  with.spans_per_step = kSpans;
  record(folder / "without.db", without, kSteps);
  record(folder / "with.db", with, kSteps);
  const auto more =
      std::filesystem::file_size(folder / "with.db") - std::filesystem::file_size(folder / "without.db");
  CHECK(static_cast<double>(more) / (kSteps * kSpans) <= 45.0);
}
