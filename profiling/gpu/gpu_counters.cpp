#include "profiling/gpu/gpu_counters.hpp"

#include <optional>
#include <utility>

namespace profiling {

GpuCounters::GpuCounters(const std::string& library) {
  auto nvml = NvmlLib::open(library);
  if (nvml) nvml_ = std::make_unique<NvmlLib>(std::move(*nvml));
}

void GpuCounters::watch(const std::vector<FoundDevice>& devices) {
  if (!watched_.empty() || !nvml_) return;
  for (const FoundDevice& found : devices) add(found.index, nvml_->device_of(found.uuid), found.name);
  // With several, only their identity tells which of them is meant.
  if (devices.empty() && nvml_->device_count() == 1) add(0, nvml_->device(0), {});
}

void GpuCounters::add(std::int16_t index, NvmlDevice* device, std::string name) {
  if (device == nullptr) return;
  watched_.push_back({index, device});
  if (name.empty()) name = nvml_->name(device);
  names_.push_back({index, engine::kWholeDevice, std::move(name)});
}

void GpuCounters::sample(std::int64_t now_ns, std::int64_t origin_ns,
                         std::vector<engine::CounterSample>& out) {
  if (now_ns < due_ns_) return;
  due_ns_ = now_ns + kPeriodNs;
  for (const Watched& watched : watched_) {
    const NvmlReading reading = nvml_->read(watched.device);
    const auto add_sample = [&](const char* track, const char* unit, std::optional<double> value) {
      if (value) out.push_back({watched.index, track, unit, now_ns - origin_ns, *value});
    };
    add_sample("memory used", "bytes", reading.memory_used_bytes);
    add_sample("power", "W", reading.power_watts);
    add_sample("SM clock", "MHz", reading.sm_clock_mhz);
    add_sample("memory clock", "MHz", reading.memory_clock_mhz);
    add_sample("GPU busy", "%", reading.gpu_percent);
    add_sample("memory busy", "%", reading.memory_percent);
  }
}

}  // namespace profiling
