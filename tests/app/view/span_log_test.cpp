#include "app/view/span_log.hpp"

#include <catch2/catch_test_macros.hpp>

using app::view::SpanChunk;
using app::view::SpanLog;

namespace {

std::vector<engine::Span> spans(std::int64_t first, std::int64_t count) {
  std::vector<engine::Span> made;
  for (std::int64_t i = first; i < first + count; ++i) made.push_back({i, i + 1, i, 0, 0, 0, -1, 0});
  return made;
}

}  // namespace

TEST_CASE("SpanLog, keeps the newest spans and counts what it let go") {
  constexpr auto kChunk = static_cast<std::int64_t>(SpanChunk::kCapacity);
  SpanLog log(2 * SpanChunk::kCapacity);
  CHECK(log.view().size() == 0);
  log.append(spans(0, 2 * kChunk));
  CHECK(log.view().dropped() == 0);
  CHECK(log.view().size() == 2 * SpanChunk::kCapacity);
  log.append(spans(2 * kChunk, 5));
  CHECK(log.view().dropped() == kChunk);
  CHECK(log.view().size() == SpanChunk::kCapacity + 5);
  CHECK(log.view()[0].step == kChunk);
  CHECK(log.view()[SpanChunk::kCapacity + 4].step == 2 * kChunk + 4);
}

TEST_CASE("SpanLog, a view keeps the spans that were let go after it was made") {
  SpanLog log(1);
  log.append(spans(0, 10));
  const auto before = log.view();
  log.append(spans(10, 3 * static_cast<std::int64_t>(SpanChunk::kCapacity)));
  CHECK(before.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) REQUIRE(before[i].step == static_cast<std::int64_t>(i));
}
