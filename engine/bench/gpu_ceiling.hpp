// How fast a GPU moves its memory right now: what decode speed on it is measured against.
#pragma once

#include <cstdint>

#include "engine/events/result.hpp"

namespace engine {

struct GpuCeiling {
  double copy_bytes_per_second = 0;  // read and written together
  double read_bytes_per_second = 0;  // read only
};

// The best of several passes over up to 1 GiB, a second at most. Fails where there is no usable GPU or no
// memory.
Result<GpuCeiling> measure_gpu_ceiling(int gpu);

// Its copy rate alone, in well under 100 ms: what a run's kernels are compared with. Measured once per
// process and GPU, when first asked for; the GPU should be idle then. Thread-safe.
Result<double> gpu_copy_bytes_per_second(int gpu);

}  // namespace engine
