// From the clock of a profiler's records to the steady clock, where the library cannot be told to use ours.
//
// A reading of theirs between two of ours fixes the offset to within the time between the two; the narrowest
// of several is kept. Redone every second, since the clocks drift. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace profiling {

class ClockMap {
 public:
  using Clock = std::function<std::uint64_t()>;  // ns

  // Takes the offset anew from `rounds` readings, unless the last was taken within `kPeriodNs`.
  void follow(const Clock& steady, const Clock& theirs, int rounds = 16);

  // 0, which stands for no time, stays 0.
  std::uint64_t steady(std::uint64_t theirs) const {
    return theirs == 0 ? 0 : theirs + static_cast<std::uint64_t>(offset_ns_.load(std::memory_order_relaxed));
  }
  std::int64_t offset_ns() const { return offset_ns_.load(std::memory_order_relaxed); }

  static constexpr std::uint64_t kPeriodNs = 1'000'000'000;

 private:
  std::atomic<std::int64_t> offset_ns_{0};
  std::atomic<std::uint64_t> taken_ns_{0};
};

}  // namespace profiling
