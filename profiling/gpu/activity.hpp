// One record of what a GPU, the driver or CUPTI did, freed from the vendor's structures: what the attribution
// works on, and what tests make by hand.
#pragma once

#include <cstdint>

namespace profiling {

enum class ActivityKind : std::uint8_t {
  kernel,    // name: mangled
  copy,      // value: bytes; name: "copy host to device"
  set,       // value: bytes
  graph,     // one launch of a graph as a whole
  launch,    // a call of the CUDA API, on the CPU; name: what it does; value: 1: it launches a graph
  scope,     // value: the id (scope_id.hpp) under which the call with this correlation was made
  overhead,  // time that the profiler or the driver took aside; name: for what
};

struct Activity {
  ActivityKind kind = ActivityKind::kernel;
  std::uint64_t start_ns = 0;  // steady clock; both 0, or an end before the start: it could not be timed
  std::uint64_t end_ns = 0;
  std::uint32_t correlation = 0;  // the same for a call and for all that it launched
  std::uint32_t device = 0;
  std::uint32_t stream = 0;
  std::uint32_t graph = 0;
  std::uint64_t node = 0;  // of the graph that launched it; 0: no graph did
  std::uint64_t value = 0;
  const char* name = nullptr;  // null: none. Lives as long as the code it names is loaded
};

constexpr bool is_timed(const Activity& activity) {
  return (activity.start_ns != 0 || activity.end_ns != 0) && activity.end_ns >= activity.start_ns;
}

}  // namespace profiling
