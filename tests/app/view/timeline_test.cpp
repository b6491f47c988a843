#include "app/view/timeline.hpp"

#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "tests/app/view/span_run.hpp"
#include "tests/profiling/synthetic_run.hpp"

using namespace app::view;
using view_test::span_run;

namespace {

// Back to back: `count` spans of 1 us in layers of 5, on one stream.
std::vector<engine::Span> row_of_spans(std::int64_t count) {
  std::vector<engine::Span> made;
  for (std::int64_t i = 0; i < count; ++i) {
    made.push_back({i * 1000, i * 1000 + 1000, i / 20, static_cast<std::int16_t>(i / 5 % 4),
                    static_cast<std::int16_t>(i % 3), 0, -1, 0});
  }
  return made;
}

std::int64_t sum_counts(const std::vector<TimelineBox>& boxes) {
  return std::accumulate(boxes.begin(), boxes.end(), std::int64_t{0},
                         [](std::int64_t sum, const TimelineBox& box) { return sum + box.count; });
}

TimelineIndex index_of(const RunSnapshot& run) {
  TimelineIndex index;
  index.update(run);
  return index;
}

}  // namespace

TEST_CASE("kernel_boxes, shows every span as its own box where there is room") {
  const auto run = span_run(row_of_spans(10));
  const TimelineIndex index = index_of(*run);
  REQUIRE(index.tracks().size() == 1);
  const auto boxes = kernel_boxes(index, index.tracks()[0], {{0, 10'000}, 100});
  REQUIRE(boxes.size() == 10);
  CHECK(boxes[3].x == 30);
  CHECK(boxes[3].width == 10);
  CHECK(boxes[3].count == 1);
  CHECK(boxes[3].operation == 0);
  CHECK(boxes[3].span == 3);
}

TEST_CASE("kernel_boxes, merges what is narrower than three pixels and says how many") {
  const auto run = span_run(row_of_spans(100'000));
  const TimelineIndex index = index_of(*run);
  const auto boxes = kernel_boxes(index, index.tracks()[0], {{0, 100'000'000}, 900});
  CHECK(boxes.size() <= 301);
  CHECK(boxes.size() >= 290);
  CHECK(sum_counts(boxes) == 100'000);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    REQUIRE(boxes[i].width >= 3);
    if (i > 0) REQUIRE(boxes[i].x >= boxes[i - 1].x + boxes[i - 1].width - 0.1f);
  }
}

TEST_CASE("kernel_boxes, a long span among short ones keeps its own box") {
  auto spans = row_of_spans(100);
  spans.push_back({100'000, 600'000, 9, 2, 1, 1, -1, 0});
  const auto run = span_run(spans);
  const TimelineIndex index = index_of(*run);
  const auto boxes = kernel_boxes(index, index.tracks()[0], {{0, 1'000'000}, 100});
  REQUIRE(sum_counts(boxes) == 101);
  CHECK(boxes.back().count == 1);
  CHECK(boxes.back().operation == 1);
  CHECK(boxes.back().x == 10);
  CHECK(boxes.back().width == 50);
}

TEST_CASE("kernel_boxes, cuts to the view and keeps what reaches into it") {
  const auto run = span_run(row_of_spans(10));
  const TimelineIndex index = index_of(*run);
  const auto boxes = kernel_boxes(index, index.tracks()[0], {{2'500, 4'500}, 200});
  REQUIRE(boxes.size() == 3);
  CHECK(boxes[0].x == 0);
  CHECK(boxes[0].width == 50);
  CHECK(boxes[2].x + boxes[2].width == 200);
  CHECK(kernel_boxes(index, index.tracks()[0], {{20'000, 30'000}, 100}).empty());
  CHECK(kernel_boxes(index, index.tracks()[0], {{5, 5}, 100}).empty());
}

TEST_CASE("layer_boxes, neighbouring spans of a layer are one box") {
  const auto run = span_run(row_of_spans(40));
  const TimelineIndex index = index_of(*run);
  const auto boxes = layer_boxes(index.tracks()[0], {{0, 40'000}, 400});
  REQUIRE(boxes.size() == 8);
  CHECK(boxes[5].layer == 1);
  CHECK(boxes[5].step == 1);
  CHECK(boxes[5].width == 50);
}

TEST_CASE("step_boxes, steps of a run are boxes, merged from afar") {
  std::vector<engine::StepFinished> steps;
  for (std::int64_t i = 0; i < 1000; ++i)
    steps.push_back({i, engine::Phase::decode, i * 100, i * 100 + 90, 1, 1});
  const auto run = span_run({}, steps);
  CHECK(step_boxes(*run, {{0, 1000}, 100}).size() == 10);
  const auto merged = step_boxes(*run, {{0, 100'000}, 90});
  CHECK(merged.size() <= 31);
  CHECK(sum_counts(merged) == 1000);
}

TEST_CASE("TimelineIndex, has a track per device and stream, ordered by start time") {
  std::vector<engine::Span> spans = {{50, 60, 0, 0, 0, 0, 0, 7},
                                     {10, 20, 0, 0, 0, 0, -1, 0},
                                     {70, 80, 0, 0, 0, 0, 0, 7},
                                     {65, 68, 0, 0, 0, 0, 0, 7},
                                     {5, 6, 0, 0, 0, 0, 0, 3}};
  const auto run = span_run(spans);
  const TimelineIndex index = index_of(*run);
  REQUIRE(index.tracks().size() == 3);
  CHECK(index.tracks()[0].device == -1);
  CHECK(index.tracks()[1].stream == 3);
  CHECK(index.tracks()[2].spans == std::vector<std::int64_t>{0, 3, 2});
}

TEST_CASE("TimelineIndex, a span told before earlier ones leaves the layers as they are") {
  // A measuring pass after the step, recorded first.
  const auto run = span_run({{900, 990, 0, -1, 2, 0, -1, 0},
                             {100, 150, 0, 0, 0, 0, -1, 0},
                             {150, 200, 0, 0, 1, 0, -1, 0},
                             {200, 260, 0, 1, 0, 0, -1, 0},
                             {260, 300, 0, 1, 1, 0, -1, 0}});
  const TimelineIndex index = index_of(*run);
  const auto& layers = index.tracks()[0].layers;
  REQUIRE(layers.size() == 3);
  CHECK(layers[0].layer == 0);
  CHECK(layers[0].start_ns == 100);
  CHECK(layers[0].end_ns == 200);
  CHECK(layers[1].layer == 1);
  CHECK(layers[1].end_ns == 300);
  CHECK(layers[2].layer == -1);
}

TEST_CASE("TimelineIndex, goes on with the run and forgets what was dropped") {
  constexpr auto kChunk = static_cast<std::int64_t>(SpanChunk::kCapacity);
  RunModel model({.max_spans = 2 * SpanChunk::kCapacity});
  model.on_event(view_test::span_facts());
  TimelineIndex index;
  const auto all = row_of_spans(4 * kChunk + 10);
  for (std::size_t i = 0; i < all.size(); i += 1000) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(i + 1000, all.size()));
    model.on_event(engine::SpansRecorded{{all.begin() + static_cast<std::ptrdiff_t>(i), end}});
    index.update(*model.snapshot());
  }
  CHECK(index.first() == 3 * kChunk);
  CHECK(index.end() == 4 * kChunk + 10);
  const auto& track = index.tracks()[0];
  CHECK(track.spans.size() == static_cast<std::size_t>(kChunk + 10));
  CHECK(track.spans.front() == 3 * kChunk);
  CHECK(index.span(4 * kChunk).start_ns == 4 * kChunk * 1000);
  model.on_event(view_test::span_facts());
  index.update(*model.snapshot());
  CHECK(index.tracks().empty());
}

TEST_CASE("TimelineView, absurd ranges give boxes, not overflow") {
  const auto run = span_run({{INT64_MIN, INT64_MAX, 0, 0, 0, 0, -1, 0}, {5, 3, 0, 0, 0, 0, -1, 0}});
  const TimelineIndex index = index_of(*run);
  for (const float width : {0.0f, 0.001f, 1.0f, 1e6f}) {
    CHECK(kernel_boxes(index, index.tracks()[0], {{0, INT64_MAX}, width}).size() <= 2);
    CHECK(kernel_boxes(index, index.tracks()[0], {{INT64_MIN, INT64_MAX}, width}).size() <= 2);
  }
}
