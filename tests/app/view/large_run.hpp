// The events of a run of 36 layers x 8 KV heads x 32,768 tokens, half of them prefilled, with random gates
// and the occupancy they lead to: what the window has to be fast on.
#pragma once

#include <vector>

#include "engine/events/events.hpp"

namespace view_test {

struct LargeRunOptions {
  std::int32_t layers = 36;
  std::int32_t kv_heads = 8;
  std::int32_t tokens = 32768;
  std::int32_t prompt = 16384;
  std::int32_t spans_per_step = 0;
};

std::vector<engine::Event> large_run(const LargeRunOptions& options);

}  // namespace view_test
