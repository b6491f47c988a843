// Judges what a probe for GPUs found. No CUDA headers: the numbers are those of the CUDA runtime's enums.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/backend/devices.hpp"

namespace engine {

namespace {

constexpr int kInsufficientDriver = 35;
constexpr int kStubLibrary = 34;
constexpr int kNoDevice = 100;
constexpr int kSystemDriverMismatch = 803;
constexpr int kSystemNotReady = 802;

std::string no_driver_reason(const GpuProbe& probe) {
  return fmt::format("no NVIDIA driver: {}", probe.library_error);
}

std::string count_reason(const GpuProbe& probe) {
  switch (probe.count_error) {
    case kStubLibrary:
      return "the libcuda.so.1 found is the toolkit's stub, not a driver: take the stubs folder out of "
             "LD_LIBRARY_PATH";
    case kInsufficientDriver:
      return fmt::format("the NVIDIA driver is too old: it serves CUDA {}, this build needs {}.0 or newer",
                         cuda_version_text(probe.driver_version), probe.runtime_version / 1000);
    case 0:  // a driver that counts none without an error
    case kNoDevice:
      return "the NVIDIA driver sees no GPU (or CUDA_VISIBLE_DEVICES hides all of them)";
    case kSystemDriverMismatch:
      return "the NVIDIA driver in the kernel and its library have different versions: restart the machine";
    case kSystemNotReady:
      return "the NVIDIA driver is not ready: a system with NVSwitch needs its fabric manager running";
    default:
      return fmt::format("the NVIDIA driver refuses: {} ({})", probe.count_error_text, probe.count_error);
  }
}

std::string device_reason(const GpuProbe& probe, const GpuProbe::Gpu& gpu) {
  const GpuDevice& device = gpu.device;
  if (gpu.error != 0) return fmt::format("it does not answer: {} ({})", gpu.error_text, gpu.error);
  if (gpu.prohibited) {
    return "its compute mode is prohibited (nvidia-smi -c DEFAULT allows programs again)";
  }
  if (!architectures_serve(probe.architectures, device.major, device.minor)) {
    return fmt::format("its compute capability is {}.{}, this build has kernels for {}", device.major,
                       device.minor, probe.architectures);
  }
  return {};
}

std::string no_usable_device_reason(const std::vector<GpuDevice>& devices) {
  std::string reason;
  for (const GpuDevice& device : devices) {
    reason += fmt::format("{}GPU {} ({}): {}", reason.empty() ? "" : "; ", device.index, device.name,
                          device.reason);
  }
  return reason;
}

}  // namespace

std::string cuda_version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

bool architectures_serve(std::string_view architectures, int major, int minor) {
  while (!architectures.empty()) {
    const std::size_t end = std::min(architectures.find(','), architectures.size());
    const std::string_view item = architectures.substr(0, end);
    architectures.remove_prefix(std::min(end + 1, architectures.size()));
    int number = 0;
    const auto parsed = std::from_chars(item.data(), item.data() + item.size(), number);
    if (parsed.ec != std::errc{}) continue;
    const std::string_view kind(parsed.ptr, static_cast<std::size_t>(item.data() + item.size() - parsed.ptr));
    const bool machine_code = kind.empty() || kind == "-real";
    const bool ptx = kind.empty() || kind == "-virtual";
    if (machine_code && number / 10 == major && number % 10 <= minor) return true;
    if (ptx && number <= 10 * major + minor) return true;
  }
  return false;
}

GpuSurvey judge_gpus(const GpuProbe& probe) {
  GpuSurvey survey;
  survey.built = probe.built;
  survey.architectures = probe.architectures;
  survey.runtime_version = probe.runtime_version;
  survey.driver_version = probe.driver_version;
  if (!probe.built) {
    survey.reason = "this build has no CUDA backend (no CUDA toolkit was found when it was built)";
  } else if (!probe.library_error.empty()) {
    survey.reason = no_driver_reason(probe);
  } else if (probe.count_error != 0 || probe.gpus.empty()) {
    survey.reason = count_reason(probe);
  }
  // A GPU that the driver cannot count is there as well; a stub of a driver, or one without a GPU, is not.
  survey.present = probe.built && probe.library_error.empty() && probe.count_error != kStubLibrary &&
                   probe.count_error != kNoDevice && (probe.count_error != 0 || !probe.gpus.empty());
  if (!survey.reason.empty()) return survey;
  for (const GpuProbe::Gpu& gpu : probe.gpus) {
    survey.devices.push_back(gpu.device);
    survey.devices.back().reason = device_reason(probe, gpu);
  }
  const auto usable = [](const GpuDevice& device) { return device.reason.empty(); };
  if (std::none_of(survey.devices.begin(), survey.devices.end(), usable)) {
    survey.reason = no_usable_device_reason(survey.devices);
  }
  return survey;
}

GpuSurvey survey_gpus() {
  return judge_gpus(probe_gpus());
}

}  // namespace engine
