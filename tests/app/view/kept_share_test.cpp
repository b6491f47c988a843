#include "app/view/kept_share.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "app/view/run_model.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;

namespace {

std::shared_ptr<const RunSnapshot> run(bool closed_form) {
  RunModel model;
  profiling_test::emit_run(
      model, {.prompt_tokens = 100, .prefill_chunk = 25, .window = 20, .closed_form = closed_form}, 50);
  return model.snapshot();
}

}  // namespace

TEST_CASE("kept_shares, is the share of tokens decided at s that are not marked") {
  CacheView view;
  view.update(run(true), 0);
  const std::int32_t s = GENERATE(3, 60, 120, 149);
  const auto shares = kept_shares(view, s);
  REQUIRE(shares.size() == 6);
  for (std::int32_t head = 0; head < 6; ++head) {
    std::int32_t kept = 0;
    for (std::int32_t t = 0; t < s; ++t) kept += view.sequence().marked(head, t) ? 0 : 1;  // lag 1
    CHECK(shares[static_cast<std::size_t>(head)] == Catch::Approx(static_cast<double>(kept) / s));
  }
}

TEST_CASE("kept_shares, where nothing is decided everything is kept") {
  CacheView view;
  view.update(run(true), 0);
  CHECK(kept_shares(view, 0) == std::vector<double>(6, 1.0));
}

TEST_CASE("kept_shares, follows a preview's threshold") {
  CacheView view;
  view.update(run(true), 0, {.threshold = 1e9});
  CHECK(kept_shares(view, 120) == std::vector<double>(6, 1.0));
}

TEST_CASE("kept_shares, counts recorded evictions of a policy without a closed form") {
  CacheView view;
  view.update(run(false), 0);
  const auto shares = kept_shares(view, 120);
  for (const double share : shares) {
    CHECK(share > 0);
    CHECK(share < 1);
  }
}

TEST_CASE("by_layer, is the mean of each layer's heads") {
  CHECK(by_layer({1, 0.5, 0, 0.5}, 2) == std::vector<double>{0.75, 0.25});
  CHECK(by_layer({1, 0.5, 0}, 2) == std::vector<double>{0.75});
  CHECK(by_layer({}, 0).empty());
}
