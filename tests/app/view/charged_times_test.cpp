#include "app/view/charged_times.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>
#include <tuple>

#include "app/view/kernel_table.hpp"
#include "tests/app/view/span_run.hpp"

using namespace app::view;
using view_test::span_run;

namespace {

engine::Span on_gpu(std::int64_t start, std::int64_t end, std::int32_t stream = 7, std::int16_t device = 0,
                    std::int16_t operation = 0) {
  return {start, end, 0, 0, operation, 0, device, stream};
}

ChargedTimes charged_times(const RunSnapshot& run) {
  ChargedTimes charged;
  charged.update(run);
  return charged;
}

std::vector<std::int64_t> charges(const std::vector<engine::Span>& spans) {
  const ChargedTimes charged = charged_times(*span_run(spans));
  std::vector<std::int64_t> ns;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const engine::Span cut = charged.charged(static_cast<std::int64_t>(i));
    ns.push_back(cut.end_ns - cut.start_ns);
  }
  return ns;
}

// Kernels of two streams of two devices that are launched early, by chance deep inside the one before.
std::vector<engine::Span> early_kernels(std::size_t count) {
  std::vector<engine::Span> made;
  std::minstd_rand random(5);
  std::map<std::pair<std::int16_t, std::int32_t>, std::int64_t> at;
  for (std::size_t i = 0; i < count; ++i) {
    const auto device = static_cast<std::int16_t>(random() % 2);
    const auto stream = static_cast<std::int32_t>(7 + random() % 2);
    std::int64_t& begin = at[{device, stream}];
    begin += static_cast<std::int64_t>(random() % 300);
    made.push_back(on_gpu(begin, begin + static_cast<std::int64_t>(random() % 500), stream, device,
                          static_cast<std::int16_t>(random() % 3)));
    made.back().layer = static_cast<std::int16_t>(random() % 4);
    made.back().bytes = 1000;
  }
  return made;
}

using Sums = std::vector<std::tuple<std::string, std::int16_t, std::int64_t, std::int64_t,
                                    std::vector<std::int64_t>, std::int64_t>>;
Sums sums(const KernelTable& table) {
  Sums all;
  for (const KernelRow& row : table.rows)
    all.emplace_back(row.name, row.device, row.total_ns, row.bytes_ns, row.layer_ns, row.p95_ns);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("ChargedTimes, a kernel that waits inside for the one before is charged from that one's end") {
  CHECK(charges({on_gpu(0, 100), on_gpu(60, 180), on_gpu(70, 200)}) ==
        std::vector<std::int64_t>{100, 80, 20});
}

TEST_CASE("ChargedTimes, one wholly inside an earlier one is charged nothing, and hides no later one") {
  CHECK(charges({on_gpu(0, 100), on_gpu(20, 60), on_gpu(70, 130), on_gpu(140, 150)}) ==
        std::vector<std::int64_t>{100, 0, 30, 10});
}

TEST_CASE("ChargedTimes, streams and devices do not wait for each other, and the CPU for nobody") {
  CHECK(charges({on_gpu(0, 100, 7), on_gpu(50, 150, 8), on_gpu(50, 150, 7, 1), on_gpu(0, 100, 0, -1),
                 on_gpu(50, 150, 0, -1)}) == std::vector<std::int64_t>{100, 100, 100, 100, 100});
}

TEST_CASE("ChargedTimes, what a stream is charged with is the time in which it was busy") {
  const auto spans = early_kernels(2000);
  const std::vector<std::int64_t> ns = charges(spans);
  std::map<std::pair<std::int16_t, std::int32_t>, std::pair<std::int64_t, std::vector<bool>>> streams;
  std::int64_t whole = 0, all = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    auto& [sum, busy] = streams[{spans[i].device, spans[i].stream}];
    sum += ns[i];
    all += ns[i];
    whole += spans[i].end_ns - spans[i].start_ns;
    busy.resize(std::max(busy.size(), static_cast<std::size_t>(spans[i].end_ns)));
    std::fill(busy.begin() + spans[i].start_ns, busy.begin() + spans[i].end_ns, true);
  }
  REQUIRE(streams.size() == 4);
  for (const auto& [stream, times] : streams)
    CHECK(times.first == std::count(times.second.begin(), times.second.end(), true));
  CHECK(whole > all * 6 / 5);  // or nothing overlapped
}

TEST_CASE("ChargedTimes, spans that come late and in any order are charged as sorted ones are") {
  auto spans = early_kernels(3000);
  spans.insert(spans.end(), spans.begin() + 10, spans.begin() + 40);  // the same times twice
  for (std::size_t i = 0; i < 30; ++i) spans[spans.size() - 1 - i].operation = 2;
  std::sort(spans.begin(), spans.end(), runs_before);
  const Sums expected = sums(kernel_table(*span_run(spans), {}));
  std::minstd_rand random(9);
  std::rotate(spans.begin(), spans.begin() + 40, spans.end());  // the beginning comes last
  RunModel model;
  model.on_event(view_test::span_facts());
  ChargedTimes charged;
  for (std::size_t from = 0; from < spans.size(); from += 101) {
    const auto begin = spans.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = spans.begin() + static_cast<std::ptrdiff_t>(std::min(from + 101, spans.size()));
    std::shuffle(begin, end, random);
    model.on_event(engine::SpansRecorded{{begin, end}});
    kernel_table(*model.snapshot(), {}, charged);
  }
  CHECK(sums(kernel_table(*model.snapshot(), {}, charged)) == expected);
  CHECK(sums(kernel_table(*model.snapshot(), {})) == expected);
}

TEST_CASE("ChargedTimes, goes on when old spans are dropped and starts anew with another run") {
  constexpr auto kChunk = static_cast<std::int64_t>(SpanChunk::kCapacity);
  RunModel model({.max_spans = 2 * SpanChunk::kCapacity});
  model.on_event(view_test::span_facts());
  ChargedTimes charged;
  for (std::int64_t i = 0; i < 4 * kChunk; i += kChunk) {
    std::vector<engine::Span> spans;
    for (std::int64_t k = i; k < i + kChunk; ++k) spans.push_back(on_gpu(k * 10, k * 10 + 14));
    model.on_event(engine::SpansRecorded{std::move(spans)});
    charged.update(*model.snapshot());
  }
  const auto run = model.snapshot();
  REQUIRE(run->spans().dropped() > 0);
  for (std::int64_t k = run->spans().dropped(); k < 4 * kChunk; ++k)
    REQUIRE(charged.from_ns(k) == k * 10 + 4);
  charged.update(*span_run({on_gpu(5, 9)}));
  CHECK(charged.from_ns(0) == 5);
}

TEST_CASE("kernel_table, counts what kernels are charged with in every column, and keeps the run's spans") {
  std::vector<engine::Span> spans{on_gpu(0, 1000), on_gpu(400, 2000), on_gpu(1500, 2500, 7, 0, 1)};
  for (engine::Span& span : spans) span.bytes = 4000;
  spans[1].layer = 2;
  const auto run = span_run(spans);
  const KernelTable table = kernel_table(*run, {});
  REQUIRE(table.rows.size() == 2);
  CHECK(table.total_ns == 2500);
  CHECK(table.rows[0].total_ns == 2000);
  CHECK(table.rows[0].layer_ns == std::vector<std::int64_t>{1000, 0, 1000, 0});
  CHECK(table.rows[0].p99_ns == 1000);
  CHECK(*table.rows[0].gb_per_s() == 4);
  CHECK(table.rows[1].mean_ns == 500);
  CHECK(run->spans()[1].start_ns == 400);
  // A filter sees the times that the table shows, and the kernel before counts though it is filtered out.
  const auto filter = SpanFilter::parse("dur < 600ns and name ~ attention");
  REQUIRE(filter);
  CHECK(kernel_table(*run, {.filter = *filter}).total_ns == 500);
}
