// Which lanes the kernel timeline has, in the order in which they are read, and what they are called.
//
// The streams of each GPU, the copies of each right below it, then what the CPU computes, the calls that hand
// work to a GPU, and the profiler's own time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/view/run_snapshot.hpp"
#include "app/view/timeline.hpp"

namespace app::view {

enum class LaneKind : std::uint8_t { kernels, copies, launches, profiler };

struct TimelineLane {
  LaneKind kind = LaneKind::kernels;
  std::size_t track = 0;  // index into TimelineIndex::tracks()
  bool on_gpu = false;
  bool has_layers = false;  // else a lane of layers would be empty
  std::string device;       // "H200"; empty: the CPU
  std::string name;         // "decode", "copies", "launches"
  std::string full_name;    // "NVIDIA H200 · decode (stream 13)"
};

std::vector<TimelineLane> timeline_lanes(const RunSnapshot& run, const TimelineIndex& index);

// "NVIDIA H200", or "GPU 0" where nobody told; "the CPU" for -1.
std::string device_name(const RunSnapshot& run, std::int16_t device);
// "decode", or "stream 13".
std::string stream_name(const RunSnapshot& run, std::int16_t device, std::int32_t stream);

}  // namespace app::view
