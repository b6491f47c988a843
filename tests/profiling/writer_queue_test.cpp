#include "profiling/writer_queue.hpp"

#include <catch2/catch_test_macros.hpp>
#include <thread>

using namespace profiling;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kBytes = 100'000;

engine::Event spans(std::size_t count) {
  return engine::SpansRecorded{std::vector<engine::Span>(count)};
}
engine::Event text(std::size_t bytes) {
  return engine::Notice{std::string(bytes, 'x')};
}

std::vector<engine::Event> take(WriterQueue& queue) {
  std::vector<engine::Event> events;
  queue.take(events, steady_clock::now());
  return events;
}

}  // namespace

TEST_CASE("WriterQueue, spans are dropped and counted when half of it is full") {
  WriterQueue queue(kBytes);
  REQUIRE(queue.push(text(60'000)));
  REQUIRE(queue.push(spans(7)));
  REQUIRE(queue.push(text(10'000)));
  CHECK(queue.drops() == Drops{7, 1});
  CHECK(take(queue).size() == 2);
  REQUIRE(queue.push(spans(7)));
  CHECK(take(queue).size() == 1);
  CHECK(queue.drops() == Drops{7, 1});
}

TEST_CASE("WriterQueue, waiting spans give way to essential events") {
  WriterQueue queue(kBytes);
  for (int i = 0; i < 10; ++i) REQUIRE(queue.push(spans(50)));
  REQUIRE(queue.push(text(95'000)));
  CHECK(queue.drops().spans == 500);
  CHECK(take(queue).size() == 1);
}

TEST_CASE("WriterQueue, an essential event waits for room and is not lost") {
  WriterQueue queue(kBytes);
  REQUIRE(queue.push(text(90'000)));
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(take(queue).size() == 1);
  });
  const auto begun = steady_clock::now();
  CHECK(queue.push(text(90'000)));
  CHECK(steady_clock::now() - begun >= std::chrono::milliseconds(30));
  writer.join();
  CHECK(take(queue).size() == 1);
}

TEST_CASE("WriterQueue, gives up on a writer that is stuck") {
  WriterQueue queue(kBytes);
  REQUIRE(queue.push(text(90'000)));
  CHECK_FALSE(queue.push(text(90'000)));
}

TEST_CASE("WriterQueue, an event larger than the bound passes through an empty queue") {
  WriterQueue queue(kBytes);
  CHECK(queue.push(text(500'000)));
  CHECK(take(queue).size() == 1);
}

TEST_CASE("WriterQueue, discards everything once the writer gave up") {
  WriterQueue queue(kBytes);
  REQUIRE(queue.push(text(90'000)));
  queue.abandon();
  CHECK(queue.push(text(90'000)));
  CHECK(take(queue).empty());
}

TEST_CASE("WriterQueue, a closed queue is emptied before it ends") {
  WriterQueue queue(kBytes);
  REQUIRE(queue.push(text(1)));
  queue.close();
  std::vector<engine::Event> events;
  CHECK(queue.take(events, steady_clock::now() + std::chrono::hours(1)));
  CHECK(events.size() == 1);
  CHECK_FALSE(queue.take(events, steady_clock::now() + std::chrono::hours(1)));
}
