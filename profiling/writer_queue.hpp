// Events on their way from the engine's thread to the writer's, bounded by bytes.
//
// Spans give way first: above half of the bound new ones are dropped and counted, and when something
// essential finds the queue full the waiting ones are dropped too. Essential events (tokens, gates,
// occupancy, steps) are never dropped: only when they alone fill the queue does push() wait for the writer,
// at most kLongestWait. After that the disk is taken for stuck, push() returns false and the recording ends
// with an error instead of a hole.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "engine/events/events.hpp"

namespace profiling {

struct Drops {
  std::int64_t spans = 0;
  std::int64_t span_batches = 0;
  bool operator==(const Drops&) const = default;
};

class WriterQueue {
 public:
  static constexpr std::chrono::seconds kLongestWait{2};

  explicit WriterQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  bool push(engine::Event event);  // engine's thread; false: the event did not fit and was not taken

  // Writer's thread: waits until `due`, close() or a queue that is filling, then takes all there is. False
  // once the queue is closed and empty.
  bool take(std::vector<engine::Event>& events, std::chrono::steady_clock::time_point due);
  void close();
  void abandon();  // the writer gave up: push() discards from now on

  Drops drops() const;
  std::size_t peak_bytes() const;

 private:
  void drop_spans();

  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable filled_, emptied_;
  std::vector<engine::Event> events_;
  std::size_t bytes_ = 0;
  std::size_t peak_bytes_ = 0;
  Drops drops_;
  bool closed_ = false;
  bool abandoned_ = false;
};

}  // namespace profiling
