// The profiler of a run on a GPU of this machine.
#pragma once

#include <memory>

#include "profiling/gpu/kernel_profiler.hpp"

namespace profiling {

// Null for ProfileMode::off, which loads nothing. Otherwise one that times kernels with CUPTI or, where that
// is not possible, tells the run why not and samples counters alone. Call before the first use of CUDA.
std::unique_ptr<KernelProfiler> make_kernel_profiler(ProfileMode mode);

// The same, but never null: with ProfileMode::off CUPTI is there and records nothing until set_mode().
std::unique_ptr<KernelProfiler> attach_kernel_profiler(ProfileMode mode);

}  // namespace profiling
