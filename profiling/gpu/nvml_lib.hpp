// The few functions of NVIDIA's management library that the counters need, found at run time. Its header is
// not part of the CUDA toolkit everywhere, so what is used of it is declared here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "engine/events/result.hpp"
#include "profiling/gpu/shared_library.hpp"

namespace profiling {

struct NvmlDevice;  // opaque

// What could not be read stays empty: not every device tells everything.
struct NvmlReading {
  std::optional<double> memory_used_bytes;
  std::optional<double> power_watts;
  std::optional<double> sm_clock_mhz;
  std::optional<double> memory_clock_mhz;
  std::optional<double> gpu_percent;     // of the time, a kernel ran
  std::optional<double> memory_percent;  // of the time, device memory was read or written
};

class NvmlLib {
 public:
  // `library`: a path or a file name; empty: the driver's.
  static engine::Result<NvmlLib> open(const std::string& library);
  NvmlLib(NvmlLib&& other) noexcept
      : library_(std::move(other.library_)), started_(std::exchange(other.started_, false)) {}
  NvmlLib& operator=(NvmlLib&&) = delete;
  ~NvmlLib();

  std::string version() const;  // "13.580.65"; empty: not known
  std::string path() const { return library_.path(); }
  int device_count() const;
  NvmlDevice* device(int index) const;                   // null: there is none
  NvmlDevice* device_of(const std::string& uuid) const;  // "GPU-..." or "MIG-..."
  std::string name(NvmlDevice* device) const;
  NvmlReading read(NvmlDevice* device) const;

 private:
  explicit NvmlLib(SharedLibrary library) : library_(std::move(library)) {}
  template <typename Function>
  Function* find(const char* name) const;

  SharedLibrary library_;
  bool started_ = false;
};

}  // namespace profiling
