// What GPUs are profiled with, as it is found on this machine: for `dmscope info` and the window. Needs
// neither.
#pragma once

#include <string>

namespace profiling {

struct GpuTool {
  std::string version;  // "13.0.1"; may be unknown
  std::string path;     // of the library, as far as the loader tells
  std::string reason;   // why it cannot be used; empty: it can
};

// Opens it as profiling would, the process's session with it included: another tool that holds it is a
// reason.
GpuTool find_cupti();
// `library`: a file instead of the driver's.
GpuTool find_nvml(const std::string& library = {});

}  // namespace profiling
