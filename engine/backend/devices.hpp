// The machine's GPUs as plain values: for `dmscope info`, the window's device picker and make_backend.
//
// Needs neither a toolkit nor a driver: where something is missing the survey says what, in words for people.
// Looking takes a few milliseconds once the driver is loaded and creates no context on any GPU. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

struct GpuDevice {
  int index = 0;  // as CUDA numbers them, after CUDA_VISIBLE_DEVICES
  std::string name;
  int major = 0;  // compute capability
  int minor = 0;
  int multiprocessors = 0;
  std::int64_t memory_bytes = 0;
  std::string reason;  // why this one cannot be used; empty: it can
};

struct GpuSurvey {
  bool built = false;         // this program has a CUDA backend
  std::string architectures;  // that it has kernels for, "80-real,90"
  int runtime_version = 0;    // of the toolkit it was built with, 1000 * major + 10 * minor
  int driver_version = 0;     // the newest runtime that the driver serves; 0: no driver
  std::vector<GpuDevice> devices;
  std::string reason;  // why none can be used; empty: one can
  // A driver with a GPU, whether it can be used or not: where it is false nobody expects one.
  bool present = false;
};

GpuSurvey survey_gpus();

// "13.0" for 13000.
std::string cuda_version_text(int version);

// What looking found, before it is judged.
struct GpuProbe {
  bool built = false;
  std::string architectures;
  int runtime_version = 0;
  std::string library_error;  // of opening libcuda.so.1; empty: it is there
  int driver_version = 0;
  int count_error = 0;  // cudaError_t of cudaGetDeviceCount
  std::string count_error_text;
  struct Gpu {
    GpuDevice device;         // without a reason
    bool prohibited = false;  // its compute mode
    int error = 0;            // cudaError_t of asking about it
    std::string error_text;
  };
  std::vector<Gpu> gpus;
};

GpuProbe probe_gpus();
GpuSurvey judge_gpus(const GpuProbe& probe);

// Whether code built for `architectures` (CMake's notation, with commas: "90-real" is machine code that
// serves later minor versions of 9.x, "90-virtual" is PTX that serves everything later, "90" is both) runs on
// a GPU.
bool architectures_serve(std::string_view architectures, int major, int minor);

}  // namespace engine
