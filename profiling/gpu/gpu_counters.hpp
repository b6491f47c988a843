// Memory, power, clocks and utilisation of the GPUs in use, ten times a second, as counter samples. Without
// NVIDIA's management library there are none. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/events/events.hpp"
#include "profiling/gpu/activity_source.hpp"
#include "profiling/gpu/nvml_lib.hpp"

namespace profiling {

class GpuCounters {
 public:
  explicit GpuCounters(const std::string& library);

  // Which GPUs to watch: those that records name, or, where none are known, the only one there is.
  void watch(const std::vector<FoundDevice>& devices);
  // Appends a sample of everything if it is time for one. Steady clock; times count from `origin_ns`.
  void sample(std::int64_t now_ns, std::int64_t origin_ns, std::vector<engine::CounterSample>& out);

  const std::vector<engine::TrackNamed>& names() const { return names_; }

 private:
  static constexpr std::int64_t kPeriodNs = 100'000'000;
  struct Watched {
    std::int16_t index = 0;
    NvmlDevice* device = nullptr;
  };
  void add(std::int16_t index, NvmlDevice* device, std::string name);

  std::unique_ptr<NvmlLib> nvml_;  // null: not available
  std::vector<Watched> watched_;
  std::vector<engine::TrackNamed> names_;
  std::int64_t due_ns_ = 0;
};

}  // namespace profiling
