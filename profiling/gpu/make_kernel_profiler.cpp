#include "profiling/gpu/make_kernel_profiler.hpp"

#include "profiling/gpu/cupti_source.hpp"

namespace profiling {

std::unique_ptr<KernelProfiler> make_kernel_profiler(ProfileMode mode) {
  if (mode == ProfileMode::off) {
    pause_cupti_source();
    return nullptr;
  }
  return attach_kernel_profiler(mode);
}

std::unique_ptr<KernelProfiler> attach_kernel_profiler(ProfileMode mode) {
  KernelProfilerOptions options;
  options.mode = mode;
  const auto source = cupti_source();
  if (!source) return std::make_unique<KernelProfiler>(nullptr, options, source.error().message);
  return std::make_unique<KernelProfiler>(*source, options);
}

}  // namespace profiling
