// How fast this machine reads memory right now: what decode speed is measured against.
#pragma once

#include <memory>
#include <string>

#include "engine/checkpoint/model.hpp"

namespace engine {

struct ReadSample {
  double bytes_per_second = 0;
  std::string variant;  // the way of reading that was fastest, in words
};

// Reads the weights themselves, or, where they would fit into a processor's caches, a buffer that does not.
// Kept between calls, so that interleaved samples cost nothing but their own time. One thread at a time.
class ReadCeiling {
 public:
  ReadCeiling(std::shared_ptr<const Model> model, int threads);
  ~ReadCeiling();
  ReadCeiling(const ReadCeiling&) = delete;
  ReadCeiling& operator=(const ReadCeiling&) = delete;

  ReadSample measure();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace engine
