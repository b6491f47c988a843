// Asks the driver which GPUs there are. Creates no context.
#include <dlfcn.h>

#include "engine/backend/devices.hpp"
#include "kernels/cuda/runtime.hpp"

namespace engine {

namespace {

// The driver's library first: without it the runtime only says that the driver is too old. It stays open, as
// the runtime keeps it open as well.
std::string driver_library_error() {
#ifdef DMSCOPE_CUDA_EMULATION
  return {};
#else
  if (dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr) return {};
  const char* reason = dlerror();
  const std::string text = reason != nullptr ? reason : "libcuda.so.1 cannot be opened";
  return text.find("No such file") == std::string::npos ? text : "libcuda.so.1 was not found";
#endif
}

GpuDevice plain(const kernels::cuda::DeviceInfo& info) {
  GpuDevice device;
  device.index = info.index;
  device.name = info.name;
  device.major = info.compute_major;
  device.minor = info.compute_minor;
  device.multiprocessors = info.multiprocessors;
  device.memory_bytes = info.total_bytes;
  return device;
}

GpuProbe::Gpu ask(int index) {
  GpuProbe::Gpu gpu;
  gpu.device.index = index;
  try {
    const kernels::cuda::DeviceInfo info = kernels::cuda::device_info(index);
    gpu.device = plain(info);
    gpu.prohibited = info.compute_mode == kernels::cuda::ComputeMode::prohibited;
  } catch (const kernels::cuda::CudaError& error) {
    gpu.error = error.code();
    gpu.error_text = error.what();
  }
  return gpu;
}

}  // namespace

GpuProbe probe_gpus() {
  GpuProbe probe;
  probe.built = true;
  probe.architectures = DMSCOPE_CUDA_ARCHITECTURES;
  probe.runtime_version = kernels::cuda::runtime_version();
  probe.library_error = driver_library_error();
  if (!probe.library_error.empty()) return probe;
  probe.driver_version = kernels::cuda::driver_version();
  try {
    const int count = kernels::cuda::device_count();
    for (int index = 0; index < count; ++index) probe.gpus.push_back(ask(index));
  } catch (const kernels::cuda::CudaError& error) {
    probe.count_error = error.code();
    probe.count_error_text = error.what();
  }
  return probe;
}

}  // namespace engine
