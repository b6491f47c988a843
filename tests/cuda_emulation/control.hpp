// What tests may tell the emulated device to be, and what they may ask of it.
//
// The emulation does what a device may do, at the latest moment it may: work in a stream runs when somebody
// waits for it, blocks and threads in a shuffled order, asynchronous copies when they are waited for. Fresh
// memory and shared memory are filled with not-a-numbers; a write beyond an allocation is a fault, one beyond
// the memory behind reserved addresses a crash.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace cuda_emulation {

struct Control {
  int device_count = 1;
  int driver_version = 13000;  // 0: no driver
  int compute_major = 9;
  int compute_minor = 0;
  int compute_mode = cudaComputeModeDefault;
  bool held = false;  // by another process, in exclusive mode
  int multiprocessors = 4;
  std::size_t memory_bytes = std::size_t{1} << 30;
  bool page_locked_memory = true;  // the computer has some left
  bool virtual_memory = true;      // the driver has the functions that map memory to reserved addresses
  bool maps_memory = true;         // and they do
  unsigned seed = 1;               // of the shuffling; read at the first launch
  // The launch after so many more fails with `failure`, and everything after it: a lost device. Negative:
  // none.
  std::int64_t launches_until_failure = -1;
  cudaError_t failure = cudaErrorIllegalAddress;
  int graphs_to_refuse = 0;  // so many recorded graphs more cannot be prepared
  // A kernel that has not run yet cannot be recorded: loading it is more than a stream that records may do.
  bool loads_before_recording = false;
  // Called for every kernel, copy, set and graph that is launched or recorded, with what it is.
  std::function<void(const char*)> on_launch;
};

Control& control();

struct Usage {
  std::size_t device_bytes = 0;  // allocated now
  std::size_t peak_bytes = 0;
  std::size_t allocations = 0;  // device and page-locked ones alive
  std::size_t streams = 0, events = 0, graphs = 0;
  std::int64_t launches = 0;  // kernels run, those in graphs included
};
Usage usage();

// A device as new: forgets a failure and the peak. What is allocated stays.
void recover();

// What the last fault was; empty without one.
std::string last_fault();

}  // namespace cuda_emulation
