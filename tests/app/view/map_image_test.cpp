#include "app/view/map_image.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>

#include "app/view/run_model.hpp"
#include "tests/app/view/sequence_oracle.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;

namespace {

constexpr MapColors kColors{0xff1e1712, 0xffffcda9, 0xff2f75c8, 0xffe6823b, 0xff2d231c};

std::uint32_t color_of(TokenState state) {
  switch (state) {
    case TokenState::unborn:
      return kColors.unborn;
    case TokenState::undecided:
    case TokenState::window:
      return kColors.window;
    case TokenState::doomed:
      return kColors.doomed;
    case TokenState::kept:
      return kColors.kept;
    case TokenState::evicted:
      return kColors.evicted;
  }
  return 0;
}

// The mean of the state colours, cell by cell.
std::array<double, 4> mean(const CacheView& view, const MapRow& row, TokenRange tokens, std::int32_t s) {
  std::array<double, 4> sum{};
  for (std::int32_t head = row.first_head; head < row.first_head + row.head_count; ++head) {
    for (std::int32_t t = tokens.begin; t < tokens.end; ++t) {
      const std::uint32_t color = color_of(view.state(head, t, s));
      for (std::size_t c = 0; c < 4; ++c) sum[c] += color >> (8 * c) & 0xff;
    }
  }
  for (double& c : sum) c /= static_cast<double>(row.head_count) * tokens.size();
  return sum;
}

void check(CacheView& view, const RowLayout& rows, const TokenAxis& axis, std::int32_t s) {
  MapImage image;
  draw_map(view.marks(s), rows.rows, axis, s, kColors, image);
  REQUIRE(image.width == axis.width);
  REQUIRE(image.height == static_cast<std::int32_t>(rows.rows.size()));
  for (std::int32_t y = 0; y < image.height; ++y) {
    for (std::int32_t x = 0; x < image.width; ++x) {
      const auto expected = mean(view, rows.rows[static_cast<std::size_t>(y)], axis.at(x), s);
      const std::uint32_t pixel = image.pixels[static_cast<std::size_t>(y * image.width + x)];
      for (std::size_t c = 0; c < 4; ++c) {
        // One step of a channel: colours are mixed from ramps of 256.
        REQUIRE(std::abs(static_cast<double>(pixel >> (8 * c) & 0xff) - expected[c]) <= 1.0);
      }
    }
  }
}

std::shared_ptr<const RunSnapshot> run(bool closed_form = true) {
  RunModel model;
  profiling_test::emit_run(model, {.prompt_tokens = 200, .window = 20, .closed_form = closed_form}, 60);
  return model.snapshot();
}

RowLayout rows(bool row_per_layer = false) {
  RowLayoutOptions options;
  options.layers = 2;
  options.kv_heads = 3;
  options.row_per_layer = row_per_layer;
  return layout_rows(options);
}

}  // namespace

TEST_CASE("draw_map, a pixel is the mean of the state colours of its tokens and heads") {
  const std::int32_t width = GENERATE(1, 7, 100, 260, 500);
  const std::int32_t s = GENERATE(0, 19, 20, 21, 150, 259);
  const bool row_per_layer = GENERATE(false, true);
  CacheView view;
  view.update(run(), 0);
  check(view, rows(row_per_layer), {{0, 260}, width}, s);
  check(view, rows(row_per_layer), {{100, 215}, width}, s);
}

TEST_CASE("draw_map, previews and runs without a closed form are drawn by the same rule") {
  CacheView view;
  view.update(run(), 0, {.threshold = 3.0, .window = 40});
  check(view, rows(), {{0, 260}, 77}, 200);
  view.update(run(false), 0);
  for (const std::int32_t s : {0, 100, 230, 259}) check(view, rows(), {{0, 260}, 77}, s);
}

TEST_CASE("draw_map, colours one cell per pixel exactly") {
  CacheView view;
  view.update(run(), 0);
  MapImage image;
  draw_map(view.marks(150), rows().rows, {{0, 260}, 260}, 150, kColors, image);
  for (std::int32_t head = 0; head < 6; ++head) {
    for (std::int32_t t = 0; t < 260; ++t) {
      REQUIRE(image.pixels[static_cast<std::size_t>(head * 260 + t)] == color_of(view.state(head, t, 150)));
    }
  }
}

TEST_CASE("draw_map, tokens beyond the run and an empty axis are not yet born") {
  CacheView view;
  view.update(run(), 0);
  MapImage image;
  draw_map(view.marks(259), rows().rows, {{0, 1000}, 100}, 259, kColors, image);
  CHECK(image.pixels[26] == kColors.unborn);
  CHECK(image.pixels[99] == kColors.unborn);
  draw_map(view.marks(259), rows().rows, {{0, 0}, 10}, 259, kColors, image);
  CHECK(image.pixels == std::vector<std::uint32_t>(60, kColors.unborn));
  draw_map(view.marks(259), rows().rows, {{0, 260}, 0}, 259, kColors, image);
  CHECK(image.pixels.empty());
}

TEST_CASE("count_states, counts every cell once") {
  CacheView view;
  view.update(run(), 0);
  for (const std::int32_t s : {0, 5, 100, 259}) {
    StateCounts expected;
    for (std::int32_t head = 1; head < 4; ++head) {
      for (std::int32_t t = 3; t < 230; ++t) {
        const TokenState state = view.state(head, t, s);
        expected.unborn += state == TokenState::unborn ? 1 : 0;
        expected.window += state == TokenState::window || state == TokenState::undecided ? 1 : 0;
        expected.doomed += state == TokenState::doomed ? 1 : 0;
        expected.kept += state == TokenState::kept ? 1 : 0;
        expected.evicted += state == TokenState::evicted ? 1 : 0;
      }
    }
    CHECK(count_states(view.marks(s), 1, 3, {3, 230}, s) == expected);
  }
}
