#include "app/view/map_layers.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>

#include "app/view/run_model.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;

namespace {

std::shared_ptr<const RunSnapshot> run(bool closed_form = true) {
  RunModel model;
  profiling_test::emit_run(model, {.prompt_tokens = 200, .window = 20, .closed_form = closed_form}, 60);
  return model.snapshot();
}

bool holds(TokenState state) {
  return state != TokenState::evicted && state != TokenState::unborn;
}

bool left(const CacheView& view, std::int32_t t, std::int32_t s) {
  return s - t > view.window();
}

DifferenceCounts expected(const CacheView& a, const CacheView& b, std::int32_t head, TokenRange tokens,
                          std::int32_t s) {
  DifferenceCounts counts;
  for (std::int32_t t = tokens.begin; t < tokens.end; ++t) {
    const bool in_a = holds(a.state(head, t, s)), in_b = holds(b.state(head, t, s));
    if (t > s) {
      ++counts.unborn;
    } else if (!left(a, t, s) && !left(b, t, s)) {
      ++counts.window;
    } else if (in_a && in_b) {
      ++counts.both_keep;
    } else if (in_a) {
      ++counts.dropped;
    } else if (in_b) {
      ++counts.regained;
    } else {
      ++counts.both_evicted;
    }
  }
  return counts;
}

}  // namespace

TEST_CASE("count_holding, a pixel is the mean number of heads that hold its tokens") {
  const bool closed_form = GENERATE(true, false);
  const std::int32_t width = GENERATE(1, 7, 100, 260, 500);
  CacheView view;
  view.update(run(closed_form), 0);
  for (const std::int32_t s : {0, 19, 20, 21, 150, 259}) {
    const TokenAxis axis{{10, 260}, width};
    std::vector<HoldingPixel> pixels;
    count_holding(view.marks(s), axis, s, pixels);
    REQUIRE(pixels.size() == static_cast<std::size_t>(width));
    for (std::int32_t pixel = 0; pixel < width; ++pixel) {
      int holding = 0, doomed = 0;
      const TokenRange tokens = axis.at(pixel);
      for (std::int32_t t = tokens.begin; t < tokens.end; ++t) {
        for (std::int32_t head = 0; head < view.heads(); ++head) {
          holding += holds(view.state(head, t, s)) ? 1 : 0;
          doomed += view.state(head, t, s) == TokenState::doomed ? 1 : 0;
        }
      }
      const HoldingPixel& got = pixels[static_cast<std::size_t>(pixel)];
      REQUIRE(got.holding == Catch::Approx(static_cast<float>(holding) / static_cast<float>(tokens.size())));
      REQUIRE(got.doomed == Catch::Approx(static_cast<float>(doomed) / static_cast<float>(tokens.size())));
    }
  }
}

TEST_CASE("doomed_runs, are the marked tokens of the window, neighbours joined") {
  CacheView view;
  view.update(run(), 0);
  for (const std::int32_t s : {0, 5, 20, 150, 259}) {
    for (std::int32_t head = 0; head < view.heads(); ++head) {
      std::vector<TokenRange> runs;
      doomed_runs(view.marks(s), head, {0, 260}, s, runs);
      std::int32_t last = -1;
      std::vector<bool> covered(260, false);
      for (const TokenRange tokens : runs) {
        REQUIRE(tokens.begin > last);  // a gap between runs
        REQUIRE(tokens.size() > 0);
        last = tokens.end;
        for (std::int32_t t = tokens.begin; t < tokens.end; ++t) covered[static_cast<std::size_t>(t)] = true;
      }
      for (std::int32_t t = 0; t < 260; ++t)
        REQUIRE(covered[static_cast<std::size_t>(t)] == (view.state(head, t, s) == TokenState::doomed));
    }
  }
  std::vector<TokenRange> runs{{1, 2}};
  doomed_runs(view.marks(150), 0, {150, 150}, 150, runs);
  CHECK(runs.empty());
}

TEST_CASE("count_difference, counts every cell of a run and a preview with another threshold") {
  const double threshold = GENERATE(-2.0, 0.7, 100.0);
  const auto snapshot = run();
  CacheView view, preview;
  view.update(snapshot, 0);
  preview.update(snapshot, 0, {.threshold = threshold});
  for (const std::int32_t s : {0, 5, 20, 21, 150, 259}) {
    for (std::int32_t head = 0; head < view.heads(); ++head) {
      CHECK(count_difference(view.marks(s), preview.marks(s), head, 1, {3, 240}, s) ==
            expected(view, preview, head, {3, 240}, s));
    }
  }
}

TEST_CASE("count_difference, counts every cell of a run and a preview with another window") {
  const std::int32_t window = GENERATE(0, 5, 50, 1000);
  const auto snapshot = run();
  CacheView view, preview;
  view.update(snapshot, 0);
  preview.update(snapshot, 0, {.window = window});
  for (const std::int32_t s : {0, 21, 150, 259}) {
    for (std::int32_t head = 0; head < view.heads(); ++head) {
      CHECK(count_difference(view.marks(s), preview.marks(s), head, 1, {0, 260}, s) ==
            expected(view, preview, head, {0, 260}, s));
    }
  }
}

TEST_CASE("draw_difference, colours one cell per pixel exactly and mixes where there are more") {
  const DifferenceColors colors{0xff000001, 0xff000002, 0xff000003, 0xff000004, 0xff000005, 0xff000006};
  const auto snapshot = run();
  CacheView view, preview;
  view.update(snapshot, 0);
  preview.update(snapshot, 0, {.threshold = 0.5, .window = 40});
  RowLayoutOptions options;
  options.layers = 2;
  options.kv_heads = 3;
  const RowLayout rows = layout_rows(options);
  MapImage image;
  draw_difference(view.marks(150), preview.marks(150), rows.rows, {{0, 260}, 260}, 150, colors, image);
  REQUIRE(image.pixels.size() == 6 * 260);
  for (std::int32_t head = 0; head < 6; ++head) {
    for (std::int32_t t = 0; t < 260; ++t) {
      const DifferenceCounts cell = expected(view, preview, head, {t, t + 1}, 150);
      const std::uint32_t color = cell.unborn      ? colors.unborn
                                  : cell.window    ? colors.window
                                  : cell.both_keep ? colors.both_keep
                                  : cell.dropped   ? colors.dropped
                                  : cell.regained  ? colors.regained
                                                   : colors.both_evicted;
      REQUIRE(image.pixels[static_cast<std::size_t>(head * 260 + t)] == color);
    }
  }
  // Fewer tokens than pixels: neighbours show the same token.
  MapImage wide;
  draw_difference(view.marks(150), preview.marks(150), rows.rows, {{0, 260}, 520}, 150, colors, wide);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) REQUIRE(wide.pixels[2 * i] == image.pixels[i]);
  draw_difference(view.marks(150), preview.marks(150), rows.rows, {{0, 0}, 10}, 150, colors, wide);
  CHECK(wide.pixels == std::vector<std::uint32_t>(60, colors.unborn));
}
