#include "profiling/gpu/nvml_lib.hpp"

#include <array>
#include <cstring>

#include "profiling/gpu/gpu_tools.hpp"

namespace profiling {
namespace {

// As NVIDIA's documentation of the library gives them.
using NvmlReturn = int;
constexpr NvmlReturn kSuccess = 0;
struct NvmlMemory {
  unsigned long long total = 0, free = 0, used = 0;
};
struct NvmlUtilization {
  unsigned gpu = 0, memory = 0;
};
enum class NvmlClock : int { sm = 1, memory = 2 };
constexpr unsigned kNameBytes = 96;
constexpr unsigned kVersionBytes = 80;

using Init = NvmlReturn();
using GetVersion = NvmlReturn(char*, unsigned);
using GetCount = NvmlReturn(unsigned*);
using GetByIndex = NvmlReturn(unsigned, NvmlDevice**);
using GetByUuid = NvmlReturn(const char*, NvmlDevice**);
using GetName = NvmlReturn(NvmlDevice*, char*, unsigned);
using GetMemory = NvmlReturn(NvmlDevice*, NvmlMemory*);
using GetPower = NvmlReturn(NvmlDevice*, unsigned*);
using GetClock = NvmlReturn(NvmlDevice*, int, unsigned*);
using GetUtilization = NvmlReturn(NvmlDevice*, NvmlUtilization*);

}  // namespace

template <typename Function>
Function* NvmlLib::find(const char* name) const {
  return reinterpret_cast<Function*>(library_.symbol(name));
}

engine::Result<NvmlLib> NvmlLib::open(const std::string& library) {
  auto loaded = SharedLibrary::open(library.empty() ? "libnvidia-ml.so.1" : library, false);
  if (!loaded) return loaded.error();
  NvmlLib nvml(std::move(*loaded));
  Init* const init = nvml.find<Init>("nvmlInit_v2");
  if (init == nullptr) return engine::failed("libnvidia-ml has no nvmlInit_v2");
  if (const NvmlReturn code = init(); code != kSuccess)
    return engine::failed("nvmlInit failed with {}", code);
  nvml.started_ = true;
  return nvml;
}

NvmlLib::~NvmlLib() {
  Init* const shutdown = started_ ? find<Init>("nvmlShutdown") : nullptr;
  if (shutdown != nullptr) shutdown();
}

std::string NvmlLib::version() const {
  std::array<char, kVersionBytes> text{};
  GetVersion* const get = find<GetVersion>("nvmlSystemGetNVMLVersion");
  if (get == nullptr || get(text.data(), kVersionBytes) != kSuccess) return {};
  text.back() = '\0';
  return text.data();
}

int NvmlLib::device_count() const {
  unsigned count = 0;
  GetCount* const get = find<GetCount>("nvmlDeviceGetCount_v2");
  return get != nullptr && get(&count) == kSuccess ? static_cast<int>(count) : 0;
}

NvmlDevice* NvmlLib::device(int index) const {
  NvmlDevice* device = nullptr;
  GetByIndex* const get = find<GetByIndex>("nvmlDeviceGetHandleByIndex_v2");
  return get != nullptr && get(static_cast<unsigned>(index), &device) == kSuccess ? device : nullptr;
}

NvmlDevice* NvmlLib::device_of(const std::string& uuid) const {
  NvmlDevice* device = nullptr;
  GetByUuid* const get = find<GetByUuid>("nvmlDeviceGetHandleByUUID");
  return get != nullptr && get(uuid.c_str(), &device) == kSuccess ? device : nullptr;
}

std::string NvmlLib::name(NvmlDevice* device) const {
  std::array<char, kNameBytes> text{};
  GetName* const get = find<GetName>("nvmlDeviceGetName");
  if (get == nullptr || get(device, text.data(), kNameBytes) != kSuccess) return {};
  text.back() = '\0';
  return text.data();
}

NvmlReading NvmlLib::read(NvmlDevice* device) const {
  NvmlReading reading;
  NvmlMemory memory;
  if (auto* const get = find<GetMemory>("nvmlDeviceGetMemoryInfo"); get && get(device, &memory) == kSuccess) {
    reading.memory_used_bytes = static_cast<double>(memory.used);
  }
  unsigned value = 0;
  if (auto* const get = find<GetPower>("nvmlDeviceGetPowerUsage"); get && get(device, &value) == kSuccess) {
    reading.power_watts = value / 1e3;  // milliwatts
  }
  if (auto* const get = find<GetClock>("nvmlDeviceGetClockInfo"); get != nullptr) {
    if (get(device, static_cast<int>(NvmlClock::sm), &value) == kSuccess) reading.sm_clock_mhz = value;
    if (get(device, static_cast<int>(NvmlClock::memory), &value) == kSuccess)
      reading.memory_clock_mhz = value;
  }
  NvmlUtilization used;
  auto* const get = find<GetUtilization>("nvmlDeviceGetUtilizationRates");
  if (get != nullptr && get(device, &used) == kSuccess) {
    reading.gpu_percent = used.gpu;
    reading.memory_percent = used.memory;
  }
  return reading;
}

GpuTool find_nvml(const std::string& library) {
  const auto nvml = NvmlLib::open(library);
  if (!nvml) return {{}, {}, nvml.error().message};
  return {nvml->version(), nvml->path(), {}};
}

}  // namespace profiling
