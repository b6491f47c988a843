#include "app/view/layer_reads.hpp"

#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "app/view/run_model.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;

namespace {

std::shared_ptr<const RunSnapshot> run() {
  RunModel model;
  profiling_test::emit_run(model, {.prompt_tokens = 100, .prefill_chunk = 25, .window = 20}, 50);
  return model.snapshot();
}

}  // namespace

TEST_CASE("layer_reads, sums what the layer's heads see at each position") {
  CacheView view;
  view.update(run(), 0);
  const auto reads = layer_reads(view, {90, 110});
  REQUIRE(reads.size() == 2);
  for (std::int32_t layer = 0; layer < 2; ++layer) {
    std::int64_t expected = 0;
    for (std::int32_t s = 90; s < 110; ++s) {
      for (std::int32_t t = 0; t <= s; ++t) {
        for (std::int32_t head = 0; head < 3; ++head) {
          const TokenState state = view.state(layer * 3 + head, t, s);
          expected += state != TokenState::evicted && state != TokenState::unborn ? 1 : 0;
        }
      }
    }
    CHECK(reads[static_cast<std::size_t>(layer)] == expected);
  }
}

TEST_CASE("dense_layer_reads, is what a cache without eviction would read") {
  CacheView view;
  view.update(run(), 0, {.threshold = 1e9});
  const auto reads = layer_reads(view, {10, 35});
  CHECK(reads[0] == dense_layer_reads(view, {10, 35}));
  CHECK(reads[1] == dense_layer_reads(view, {10, 35}));
  CHECK(dense_layer_reads(view, {35, 10}) == 0);
  CHECK(dense_layer_reads(view, {149, 4000}) == 150 * 3);  // the last of 150 positions
}

TEST_CASE("positions_of, every processed position belongs to one step") {
  const auto s = run();
  const SequenceView& sequence = s->sequences()[0];
  std::int32_t end = 0;
  for (std::int32_t i = 0; i < s->step_count(); ++i) {
    const TokenRange positions = positions_of(sequence, s->step(i).step);
    CHECK(positions.begin == end);
    CHECK(positions.size() == s->step(i).tokens);
    end = positions.end;
  }
  CHECK(end == sequence.processed());
  CHECK(positions_of(sequence, 100'000).size() == 0);
}
