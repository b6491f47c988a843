// How fast this machine reads memory right now: what decode speed is measured against.
#pragma once

#include <cstdint>

#include "engine/events/result.hpp"

namespace engine {

struct ReadSample {
  std::int64_t bytes = 0;
  double seconds = 0;
};

// Streams a buffer far larger than the caches on `threads` threads (0: every core) for about `seconds`. The
// buffer is kept between calls, so that interleaved samples cost nothing but their own time.
class ReadCeiling {
 public:
  explicit ReadCeiling(int threads);
  ~ReadCeiling();
  ReadCeiling(const ReadCeiling&) = delete;
  ReadCeiling& operator=(const ReadCeiling&) = delete;

  ReadSample measure(double seconds);

 private:
  struct State;
  State* state_;
};

}  // namespace engine
