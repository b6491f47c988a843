#include "app/view/timeline.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <numeric>
#include <random>

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
  const auto boxes = layer_boxes(index, index.tracks()[0], {{0, 40'000}, 400});
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

namespace {

// A span of a layer in a step, numbered by when it ran.
engine::Span layered(std::int64_t i) {
  return {i * 10, i * 10 + 9, i / 12, static_cast<std::int16_t>(i / 3 % 4), 1, 1, 0, 7};
}

bool same_blocks(const std::vector<TimelineBlock>& a, const std::vector<TimelineBlock>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const TimelineBlock& x, const TimelineBlock& y) {
                      return x.start_ns == y.start_ns && x.end_ns == y.end_ns && x.step == y.step &&
                             x.layer == y.layer && x.first == y.first;
                    });
}

}  // namespace

TEST_CASE("TimelineIndex, spans that come late and in any order lead to the same lanes") {
  constexpr std::int64_t kCount = 600;
  std::vector<engine::Span> in_order;
  for (std::int64_t i = 0; i < kCount; ++i) in_order.push_back(layered(i));
  const TimelineIndex expected = index_of(*span_run(in_order));

  RunModel model;
  model.on_event(view_test::span_facts());
  TimelineIndex index;
  std::vector<engine::Span> shuffled = in_order;
  std::minstd_rand random(3);
  // Within some steps, as a GPU's arrive; and a few of the beginning at the very end.
  std::rotate(shuffled.begin(), shuffled.begin() + 5, shuffled.end());
  for (std::size_t from = 0; from + 50 <= shuffled.size(); from += 50) {
    const auto begin = shuffled.begin() + static_cast<std::ptrdiff_t>(from);
    std::shuffle(begin, begin + 50, random);
    model.on_event(engine::SpansRecorded{{begin, begin + 50}});
    index.update(*model.snapshot());
  }
  REQUIRE(index.tracks().size() == 1);
  const TimelineTrack& track = index.tracks()[0];
  REQUIRE(track.spans.size() == kCount);
  for (std::size_t i = 0; i < track.spans.size(); ++i)
    REQUIRE(index.span(track.spans[i]).start_ns == static_cast<std::int64_t>(i) * 10);
  CHECK(same_blocks(track.layers, expected.tracks()[0].layers));
  CHECK(same_blocks(track.steps, expected.tracks()[0].steps));
  CHECK(track.steps.size() == kCount / 12);
}

TEST_CASE("TimelineIndex, a span of no known step does not cut the layer it ran in") {
  const auto run =
      span_run({{0, 10, 0, 2, 1, 1, 0, 7}, {10, 20, -1, -1, 0, 0, 0, 7}, {20, 30, 0, 2, 1, 1, 0, 7}});
  const TimelineIndex index = index_of(*run);
  REQUIRE(index.tracks()[0].layers.size() == 1);
  CHECK(index.tracks()[0].layers[0].end_ns == 30);
  CHECK(index.tracks()[0].spans.size() == 3);
}

TEST_CASE("TimelineIndex, copies of a stream are a track of their own, named before or during the run") {
  RunModel model;
  engine::RunStarted facts = view_test::span_facts();
  facts.operations.push_back("transfer");
  model.on_event(facts);
  model.on_event(engine::KernelsNamed{{"copy on device"}});
  model.on_event(engine::SpansRecorded{{{0, 10, 0, 0, 1, 1, 0, 7},        // a kernel
                                        {5, 9, 0, -1, 3, 0, 0, 7},        // a transfer
                                        {12, 15, 0, 1, 1, 2, 0, 7},       // a copy by its name
                                        {20, 22, 0, -1, 3, 0, -1, 0}}});  // the CPU's stay together
  TimelineIndex index;
  index.update(*model.snapshot());
  REQUIRE(index.tracks().size() == 3);
  CHECK(index.tracks()[0].device == -1);
  CHECK_FALSE(index.tracks()[0].copies);
  CHECK(index.tracks()[1].spans == std::vector<std::int64_t>{0});
  CHECK(index.tracks()[2].copies);
  CHECK(index.tracks()[2].spans == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("TimelineIndex, forgets dropped spans without building its lanes anew, and late ones too") {
  constexpr auto kChunk = static_cast<std::int64_t>(SpanChunk::kCapacity);
  for (const bool late : {false, true}) {
    RunModel model({.max_spans = 2 * SpanChunk::kCapacity});
    model.on_event(view_test::span_facts());
    TimelineIndex index;
    for (std::int64_t from = 0; from < 4 * kChunk; from += kChunk) {
      std::vector<engine::Span> spans;
      for (std::int64_t i = 0; i < kChunk; ++i) {
        spans.push_back(layered(from + i));
        // Told early, run last: dropped from the middle of its track.
        if (late && from == 0 && i == 0) spans.back().start_ns = spans.back().end_ns = 4 * kChunk * 10;
      }
      model.on_event(engine::SpansRecorded{std::move(spans)});
      index.update(*model.snapshot());
    }
    TimelineIndex fresh;
    fresh.update(*model.snapshot());
    CHECK(index.tracks()[0].spans == fresh.tracks()[0].spans);
    CHECK(same_blocks(index.tracks()[0].layers, fresh.tracks()[0].layers));
    CHECK(same_blocks(index.tracks()[0].steps, fresh.tracks()[0].steps));
  }
}

TEST_CASE("kernel_boxes, a span that reaches into the view from before it is seen from inside") {
  const auto run =
      span_run({{0, 1000, 0, 0, 1, 1, 0, 7}, {100, 110, 0, 0, 0, 0, 0, 7}, {120, 130, 0, 0, 0, 0, 0, 7}});
  const TimelineIndex index = index_of(*run);
  const auto boxes = kernel_boxes(index, index.tracks()[0], {{500, 600}, 100});
  REQUIRE(boxes.size() == 1);
  CHECK(boxes[0].span == 0);
  CHECK(boxes[0].width == 100);
}

TEST_CASE("kernel_boxes, a kernel that waited is a box from where it is charged, and a wait before it") {
  const auto run =
      span_run({{0, 100, 0, 0, 1, 1, 0, 7}, {60, 180, 0, 0, 0, 0, 0, 7}, {200, 220, 0, 1, 0, 0, 0, 7}});
  const TimelineIndex index = index_of(*run);
  CHECK(index.tracks()[0].overlaps);
  const auto boxes = kernel_boxes(index, index.tracks()[0], {{0, 400}, 400});
  REQUIRE(boxes.size() == 3);
  CHECK(boxes[0].wait_width == 0);
  CHECK(boxes[1].x == 100);
  CHECK(boxes[1].width == 80);
  CHECK(boxes[1].wait_x == 60);
  CHECK(boxes[1].wait_width == 40);
  CHECK(boxes[1].start_ns == 60);  // as it ran
  CHECK(boxes[1].end_ns == 180);
  CHECK_FALSE(boxes[1].inside);
  CHECK(boxes[2].wait_width == 0);
}

TEST_CASE(
    "kernel_boxes, kernels that wait at one time do so in two rows, and one that ran inside has only that") {
  const auto run =
      span_run({{0, 100, 0, 0, 1, 1, 0, 7}, {20, 150, 0, 0, 0, 0, 0, 7}, {30, 140, 0, 0, 2, 0, 0, 7}});
  const TimelineIndex index = index_of(*run);
  const auto boxes = kernel_boxes(index, index.tracks()[0], {{0, 400}, 400});
  REQUIRE(boxes.size() == 3);
  CHECK(boxes[1].wait_row != boxes[2].wait_row);
  CHECK(boxes[2].inside);
  CHECK(boxes[2].wait_x == 30);
  CHECK(boxes[2].wait_width == 110);
}

TEST_CASE("kernel_boxes, a wait is seen though the kernel's own part is beyond the view") {
  const auto run = span_run({{0, 1000, 0, 0, 1, 1, 0, 7}, {400, 1500, 0, 0, 0, 0, 0, 7}});
  const TimelineIndex index = index_of(*run);
  const auto boxes = kernel_boxes(index, index.tracks()[0], {{300, 600}, 300});
  REQUIRE(boxes.size() == 2);
  CHECK(boxes[1].wait_x == 100);
  CHECK(boxes[1].x >= 300);
}

TEST_CASE("layer_boxes, layers whose kernels overlap do not cover each other") {
  const auto run =
      span_run({{0, 100, 0, 0, 1, 1, 0, 7}, {60, 180, 0, 1, 0, 0, 0, 7}, {150, 250, 0, 1, 1, 0, 0, 7}});
  const TimelineIndex index = index_of(*run);
  const auto boxes = layer_boxes(index, index.tracks()[0], {{0, 400}, 400});
  REQUIRE(boxes.size() == 2);
  CHECK(boxes[1].start_ns == 100);
  CHECK(boxes[1].end_ns == 250);
  CHECK(boxes[0].x + boxes[0].width <= boxes[1].x);
}
