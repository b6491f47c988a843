// Not part of the suite: prints what the large run costs. view_tests "[.measure]"
#include <fmt/format.h>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <random>

#include "app/view/cache_view.hpp"
#include "app/view/kernel_table.hpp"
#include "app/view/map_image.hpp"
#include "app/view/preview.hpp"
#include "app/view/row_layout.hpp"
#include "app/view/run_model.hpp"
#include "app/view/text_layout.hpp"
#include "app/view/text_search.hpp"
#include "app/view/timeline.hpp"
#include "tests/app/view/large_run.hpp"

namespace {

template <typename Work>
void measure(const char* what, int times, const Work& work) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work(i);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  fmt::print("{:<40} {:8.3f} ms\n", what, best);
}

}  // namespace

TEST_CASE("Measure, a run of 36 x 8 x 32,768", "[.measure]") {
  const auto events = view_test::large_run({});
  app::view::RunModel model;
  measure("feed (with a copy of each event)", 3, [&](int) {
    for (const engine::Event& event : events) model.on_event(event);
  });
  fmt::print("{:<40} {:8.1f} MB\n", "storage", static_cast<double>(model.bytes()) * 1e-6);
  const auto s = model.snapshot();
  app::view::CacheView view;
  measure("cache view, first time", 1, [&](int) { view.update(s, 0); });
  measure("cache view, another threshold", 10,
          [&](int i) { view.update(s, 0, {.threshold = 0.1 * (i + 1)}); });
  measure("cache size", 10, [&](int i) { view.size(32000 + i); });
  app::view::RowLayoutOptions options;
  options.layers = 36;
  options.kv_heads = 8;
  const auto rows = app::view::layout_rows(options);
  app::view::MapImage image;
  const auto draw = [&](std::int32_t at) {
    draw_map(view.marks(at), rows.rows, {{0, 32768}, 1000}, at, {0, 1, 2, 0xffffffff, 0xff000000}, image);
  };
  measure("scrub: map of 1,000 px", 10, [&](int i) { draw(20000 + i); });
  measure("threshold: cache view and map", 10, [&](int i) {
    view.update(s, 0, {.threshold = 0.05 * (i + 1)});
    draw(32767);
  });
  view.update(s, 0);
  measure("retention of every head", 10, [&](int i) { app::view::retention_at(view, 32000 + i); });
  measure("ratio over 1,000 positions", 10, [&](int) { app::view::ratio_over_positions(view, 1000); });
  measure("histogram of logits", 10, [&](int) { app::view::logit_histogram(s->sequences()[0], 288, 200); });
  measure("threshold for a ratio", 3, [&](int i) {
    REQUIRE(app::view::threshold_for_ratio(s->sequences()[0], 288, 256, 32767, 2.0 + i));
  });
  std::vector<std::int32_t> holding(32768);
  measure("heads holding every token", 10, [&](int i) { view.heads_holding(32000 + i, 0, holding); });
  app::view::TextMeasure text;
  text.width = [](std::string_view piece) { return static_cast<float>(piece.size()) * 7; };
  app::view::TextLayout layout;
  measure("text layout, first time", 1, [&](int) {
    layout.update(*s, s->sequences()[0], {0, 32768}, 350, text);
  });
  measure("text layout, another width", 10, [&](int i) {
    layout.update(*s, s->sequences()[0], {0, 32768}, static_cast<float>(300 + i), text);
  });
  measure("find text", 10, [&](int) { REQUIRE(app::view::find_text(s->sequences()[0], "token to", {})); });
  std::vector<std::int64_t> totals(32768);
  measure("live totals of all positions", 10, [&](int) { view.live_totals(0, totals); });
}

TEST_CASE("Measure, a million spans", "[.measure]") {
  const auto events =
      view_test::large_run({.layers = 2, .kv_heads = 1, .tokens = 6000, .prompt = 0, .spans_per_step = 180});
  app::view::RunModel model;
  for (const engine::Event& event : events) model.on_event(event);
  const auto s = model.snapshot();
  fmt::print("{} spans held, {} dropped\n", s->spans().size(), s->spans().dropped());
  app::view::TimelineIndex index;
  measure("timeline index, first time", 1, [&](int) { index.update(*s); });
  measure("boxes of 1,000 px, all of the run", 10, [&](int) {
    const app::view::TimelineView view{{0, s->last_ns()}, 1000};
    step_boxes(*s, view);
    layer_boxes(index, index.tracks()[0], view);
    kernel_boxes(index, index.tracks()[0], view);
  });
  measure("kernel table of all", 3, [&](int) { kernel_table(*s, {}); });
  app::view::ChargedTimes charged;
  measure("kernel table of all, asked again", 3, [&](int) { kernel_table(*s, {}, charged); });
}

// Half a million spans of a GPU, each step's in any order, as they come live.
TEST_CASE("Measure, late spans of a GPU", "[.measure]") {
  constexpr std::int64_t kSteps = 1500, kPerStep = 336;
  app::view::RunModel model;
  engine::RunStarted run;
  run.shape = {36, 32, 8, 128, 4096, 151936, 40960};
  run.operations = {"qkv", "attention", "attention_out", "mlp_up", "mlp_down", "transfer"};
  model.on_event(run);
  app::view::TimelineIndex index;
  std::minstd_rand random(1);
  double longest = 0, all = 0;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    std::vector<engine::Span> spans;
    for (std::int64_t i = 0; i < kPerStep; ++i) {
      const std::int64_t start = step * 5'000'000 + i * 14'000;
      engine::Span span{
          start,
          start + 15'000,  // beyond the next one's start
          step,           static_cast<std::int16_t>(i / 9), static_cast<std::int16_t>(i % 6), 0, 0, 13};
      span.bytes = 30'000'000;
      spans.push_back(span);
    }
    std::shuffle(spans.begin(), spans.end(), random);
    model.on_event(engine::SpansRecorded{std::move(spans)});
    const auto now = model.snapshot();
    const auto start = std::chrono::steady_clock::now();
    index.update(*now);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    longest = std::max(longest, took.count());
    all += took.count();
  }
  const auto s = model.snapshot();
  fmt::print("{:<40} {:8.3f} ms each, {:.3f} ms the longest\n", "timeline index, one step more",
             all / static_cast<double>(kSteps), longest);
  model.on_event(engine::SpansRecorded{{{1000, 2000, -1, -1, 0, 0, 0, 13}}});
  const auto late = model.snapshot();
  measure("timeline index, a span of the beginning", 1, [&](int) { index.update(*late); });
  app::view::TimelineIndex fresh;
  measure("timeline index, half a million at once", 1, [&](int) { fresh.update(*late); });
  measure("boxes of 1,000 px, all of the run", 10, [&](int) {
    const app::view::TimelineView view{{0, kSteps * 5'000'000}, 1000};
    for (const app::view::TimelineTrack& track : index.tracks()) {
      step_boxes(index, track, view);
      layer_boxes(index, track, view);
      kernel_boxes(index, track, view);
    }
  });
  measure("kernel table of all", 3, [&](int) { kernel_table(*s, {}); });
  app::view::ChargedTimes charged;
  measure("kernel table of all, asked again", 3, [&](int) { kernel_table(*s, {}, charged); });
}
