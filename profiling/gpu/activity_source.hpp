// Where records of a GPU's work come from: CUPTI (cupti_session.hpp), or a test.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/events/result.hpp"
#include "profiling/gpu/activity.hpp"
#include "profiling/gpu/graph_node_map.hpp"
#include "profiling/gpu/profile_mode.hpp"

namespace profiling {

struct FoundDevice {
  std::int16_t index = 0;  // as records number it
  std::string name;        // "NVIDIA H200"
  std::string uuid;        // "GPU-5c1f..."
};

struct StreamNumber {
  std::int16_t device = 0;
  std::int32_t stream = 0;
};

// Since the source began.
struct SourceCounts {
  std::int64_t node_records = 0;  // of kernels, copies and sets inside graphs
  std::int64_t dropped = 0;
  std::int64_t refused_buffers = 0;
  std::int64_t cut_buffers = 0;
  std::int64_t unknown_records = 0;
  std::int64_t unknown_nodes = 0;  // of graphs: their numbers or their graph's were not told
};

class ActivitySource {
 public:
  virtual ~ActivitySource() = default;

  // The device must be idle: what runs while kinds are switched gets wrong times.
  virtual engine::Status set_mode(ProfileMode mode) = 0;

  // The launching thread: its calls are made under this id until pop().
  virtual void push(std::uint64_t id) = 0;
  virtual void pop() = 0;
  // The number that records give a stream of the current context.
  virtual std::optional<StreamNumber> stream_number(void* stream) = 0;
  // Filled by the source as graphs are captured and instantiated.
  virtual GraphNodeMap& nodes() = 0;
  // Asks which devices there are, once CUDA is up; devices() tells when it is known. Any thread.
  virtual void find_devices() = 0;
  virtual std::vector<FoundDevice> devices() = 0;

  // The collector's thread. Complete records come back; `forced`: the unfinished ones too, for ever untimed.
  virtual void flush(bool forced) = 0;
  // Replaces `out` by the records of one buffer that came back; false: there is none.
  virtual bool read(std::vector<Activity>& out) = 0;
  virtual SourceCounts counts() = 0;
};

}  // namespace profiling
