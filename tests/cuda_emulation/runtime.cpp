// The CUDA runtime's functions over the host's memory. Streams are queues of closures that run when somebody
// waits.
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "tests/cuda_emulation/control.hpp"
#include "tests/cuda_emulation/device_memory.hpp"

using cuda_emulation::Fault;
using Operation = std::function<void()>;

struct CUgraph_st {
  std::vector<Operation> operations;
};

struct CUgraphExec_st {
  std::shared_ptr<const std::vector<Operation>> operations;
};

struct CUstream_st {
  std::deque<Operation> queue;
  CUgraph_st* capture = nullptr;
};

struct CUevent_st {
  CUstream_st* stream = nullptr;  // the last to record it
  CUgraph_st* capture = nullptr;  // where it was recorded, if that was in a capture
  std::int64_t recorded = 0, reached = 0;
  std::chrono::steady_clock::time_point time;
};

namespace {

constexpr std::size_t kCanaryBytes = 64;
constexpr unsigned char kCanary = 0xa5;

struct Allocation {
  std::size_t bytes;
  bool device;
};

struct Device {
  std::recursive_mutex mutex;
  std::map<std::byte*, Allocation> allocations;
  std::vector<CUstream_st*> streams;
  std::int64_t operations_queued = 0;  // ever
  std::set<const void*> loaded;        // kernels that were launched
  cuda_emulation::Control control;
  cuda_emulation::Usage usage;
  cudaError_t failed = cudaSuccess;
  std::string fault;
};

Device& device() {
  static Device instance;
  return instance;
}

void check_canaries(std::byte* data, std::size_t bytes) {
  for (std::size_t i = 0; i < kCanaryBytes; ++i) {
    if (static_cast<unsigned char>(data[-1 - static_cast<std::ptrdiff_t>(i)]) != kCanary ||
        static_cast<unsigned char>(data[bytes + i]) != kCanary) {
      throw Fault("a write outside of an allocation of " + std::to_string(bytes) + " bytes");
    }
  }
}

void check_all_canaries() {
  for (const auto& [data, allocation] : device().allocations) check_canaries(data, allocation.bytes);
}

cudaError_t fail(cudaError_t error, const std::string& fault) {
  device().failed = error;
  device().fault = fault;
  return error;
}

// Runs `work` unless the device is lost; a fault loses it.
template <typename Work>
cudaError_t guarded(const Work& work) {
  const std::lock_guard lock(device().mutex);
  if (device().failed != cudaSuccess) return device().failed;
  try {
    work();
  } catch (const Fault& fault) {
    return fail(cudaErrorIllegalAddress, fault.what());
  }
  return device().failed;
}

void run_one(CUstream_st& stream) {
  const Operation operation = std::move(stream.queue.front());
  stream.queue.pop_front();
  operation();
}

void drain(CUstream_st& stream) {
  while (!stream.queue.empty() && device().failed == cudaSuccess) run_one(stream);
}

void reach(CUevent_st& event, std::int64_t generation) {
  while (event.reached < generation && device().failed == cudaSuccess) {
    if (event.stream == nullptr || event.stream->queue.empty())
      throw Fault("a wait for an event that never comes");
    run_one(*event.stream);
  }
}

cudaError_t enqueue(CUstream_st* stream, Operation operation) {
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;  // the default stream: nobody here means it
  return guarded([&] {
    ++device().operations_queued;
    if (stream->capture != nullptr) {
      stream->capture->operations.push_back(std::move(operation));
    } else {
      stream->queue.push_back(std::move(operation));
    }
  });
}

void tell(const char* what) {
  if (device().control.on_launch) device().control.on_launch(what);
}

std::byte* allocate(std::size_t bytes, bool on_device) {
  auto* base = static_cast<std::byte*>(std::aligned_alloc(256, (bytes + 2 * 256 + 255) / 256 * 256));
  if (base == nullptr) return nullptr;
  std::byte* data = base + 256;
  std::memset(data - kCanaryBytes, kCanary, kCanaryBytes);
  std::memset(data, 0xff, bytes);
  std::memset(data + bytes, kCanary, kCanaryBytes);
  device().allocations.emplace(data, Allocation{bytes, on_device});
  ++device().usage.allocations;
  return data;
}

cudaError_t release(void* data) {
  if (data == nullptr) return cudaSuccess;
  const std::lock_guard lock(device().mutex);
  cudaDeviceSynchronize();
  const auto found = device().allocations.find(static_cast<std::byte*>(data));
  if (found == device().allocations.end()) return cudaErrorInvalidValue;
  const Allocation allocation = found->second;
  const cudaError_t status = guarded([&] { check_canaries(found->first, allocation.bytes); });
  if (allocation.device) cuda_emulation::give_back_memory(allocation.bytes);
  --device().usage.allocations;
  device().allocations.erase(found);
  std::free(static_cast<std::byte*>(data) - 256);
  return status;
}

// Whether memory that is copied from or to belongs to somebody; only allocations of ours can be checked.
void check_range(const void* data, std::size_t bytes) {
  cuda_emulation::check_mapped(data, bytes);
  auto& allocations = device().allocations;
  const auto* begin = static_cast<const std::byte*>(data);
  auto after = allocations.upper_bound(const_cast<std::byte*>(begin));
  if (after == allocations.begin()) return;
  const auto& [start, allocation] = *std::prev(after);
  if (begin < start + allocation.bytes && begin + bytes > start + allocation.bytes) {
    throw Fault("a copy beyond the end of an allocation of " + std::to_string(allocation.bytes) + " bytes");
  }
}

}  // namespace

namespace cuda_emulation {

Control& control() {
  return device().control;
}

Usage usage() {
  const std::lock_guard lock(device().mutex);
  return device().usage;
}

void recover() {
  const std::lock_guard lock(device().mutex);
  device().failed = cudaSuccess;
  device().fault.clear();
  device().control = {};
  device().usage.peak_bytes = device().usage.device_bytes;
}

std::string last_fault() {
  const std::lock_guard lock(device().mutex);
  return device().fault;
}

std::unique_lock<std::recursive_mutex> lock_device() {
  return std::unique_lock(device().mutex);
}

cudaError_t take_memory(std::size_t bytes) {
  if (device().failed != cudaSuccess) return device().failed;
  Usage& usage = device().usage;
  if (usage.device_bytes + bytes > device().control.memory_bytes) return cudaErrorMemoryAllocation;
  usage.device_bytes += bytes;
  usage.peak_bytes = std::max(usage.peak_bytes, usage.device_bytes);
  return cudaSuccess;
}

void give_back_memory(std::size_t bytes) {
  device().usage.device_bytes -= bytes;
}

void count_allocation(int change) {
  device().usage.allocations += static_cast<std::size_t>(change);
}

std::int64_t operations_queued() {
  return device().operations_queued;
}

bool work_is_queued() {
  const auto& streams = device().streams;
  return device().failed == cudaSuccess &&
         std::any_of(streams.begin(), streams.end(),
                     [](const CUstream_st* stream) { return !stream->queue.empty(); });
}

cudaError_t launch(const void* function, dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream,
                   std::function<void()> kernel) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535)
    return cudaErrorInvalidValue;
  if (shared_bytes > 99 * 1024) return cudaErrorInvalidValue;  // the most that every supported device has
  if (stream != nullptr && stream->capture != nullptr && device().control.loads_before_recording &&
      !device().loaded.contains(function))
    return cudaErrorStreamCaptureUnsupported;
  device().loaded.insert(function);
  tell("kernel");
  return enqueue(stream, [=, kernel = std::move(kernel)] {
    auto& left = device().control.launches_until_failure;
    if (left == 0) {
      fail(device().control.failure, "told to fail");
      return;
    }
    if (left > 0) --left;
    ++device().usage.launches;
    run_grid(grid, block, shared_bytes, kernel);
    check_all_canaries();
  });
}

}  // namespace cuda_emulation

const char* cudaGetErrorString(cudaError_t error) {
  static std::string text;
  switch (error) {
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorInvalidValue:
      return "invalid argument";
    default:
      text = "emulated error " + std::to_string(static_cast<int>(error));
      if (!device().fault.empty()) text += ": " + device().fault;
      return text.c_str();
  }
}

cudaError_t cudaGetLastError() {
  return device().failed;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = device().control.driver_version;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = device().control.device_count;
  if (device().control.driver_version < 13000) return cudaErrorInsufficientDriver;
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  if (index < 0 || index >= device().control.device_count) return cudaErrorInvalidDevice;
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "Emulated GPU");
  properties->totalGlobalMem = device().control.memory_bytes;
  properties->sharedMemPerBlockOptin = 99 * 1024;
  properties->major = device().control.compute_major;
  properties->minor = device().control.compute_minor;
  properties->multiProcessorCount = device().control.multiprocessors;
  properties->memoryBusWidth = 64;
  properties->l2CacheSize = 1 << 20;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  const cuda_emulation::Control& control = device().control;
  switch (attribute) {
    case cudaDevAttrComputeMode:
      *value = control.compute_mode;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = control.compute_major;
      break;
    default:
      *value = 1000000;  // a clock rate
  }
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* index) {
  *index = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) {
  if (index < 0 || index >= device().control.device_count) return cudaErrorInvalidDevice;
  const bool closed = device().control.compute_mode == cudaComputeModeProhibited || device().control.held;
  return closed ? cudaErrorDevicesUnavailable : device().failed;
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  const std::lock_guard lock(device().mutex);
  *total_bytes = device().control.memory_bytes;
  *free_bytes = *total_bytes - std::min(*total_bytes, device().usage.device_bytes);
  return device().failed;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  *attributes = {90};
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) {
  return cudaSuccess;
}

// As many as keep 384 threads busy, whatever they need.
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int block_size,
                                                          std::size_t) {
  if (block_size <= 0) return cudaErrorInvalidValue;
  *blocks = 384 / block_size;
  return cudaSuccess;
}

// --- memory

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  const std::lock_guard lock(device().mutex);
  if (const cudaError_t refused = cuda_emulation::take_memory(bytes); refused != cudaSuccess) return refused;
  *data = allocate(bytes, true);
  if (*data != nullptr) return cudaSuccess;
  cuda_emulation::give_back_memory(bytes);
  return cudaErrorMemoryAllocation;
}

cudaError_t cudaMallocHost(void** data, std::size_t bytes) {
  const std::lock_guard lock(device().mutex);
  if (!device().control.page_locked_memory) return cudaErrorMemoryAllocation;
  *data = allocate(bytes, false);
  return *data != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFree(void* data) {
  return release(data);
}
cudaError_t cudaFreeHost(void* data) {
  return release(data);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  tell("copy");
  return enqueue(stream, [=] {
    check_range(to, bytes);
    check_range(from, bytes);
    std::memmove(to, from, bytes);
  });
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  tell("set");
  return enqueue(stream, [=] {
    check_range(to, bytes);
    std::memset(to, value, bytes);
  });
}

// --- streams and events

cudaError_t cudaDeviceSynchronize() {
  return guarded([] {
    for (CUstream_st* stream : device().streams) drain(*stream);
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return guarded([&] {
    *stream = new CUstream_st;
    device().streams.push_back(*stream);
    ++device().usage.streams;
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(device().mutex);
  const cudaError_t status = guarded([&] { drain(*stream); });
  std::erase(device().streams, stream);
  --device().usage.streams;
  delete stream;
  return status;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream->capture != nullptr) return cudaErrorStreamCaptureInvalidated;
  return guarded([&] { drain(*stream); });
}

// Asking lets one operation happen, so that who polls gets there.
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const cudaError_t status = guarded([&] {
    if (!stream->queue.empty()) run_one(*stream);
  });
  if (status != cudaSuccess) return status;
  return stream->queue.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (event->capture != nullptr) {  // the stream joins the capture; operations are in a valid order already
    stream->capture = event->capture;
    return cudaSuccess;
  }
  if (event->recorded == 0) return cudaSuccess;
  return enqueue(stream, [event, generation = event->recorded] { reach(*event, generation); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return guarded([&] {
    *event = new CUevent_st;
    ++device().usage.events;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::lock_guard lock(device().mutex);
  cudaDeviceSynchronize();  // nobody may still wait for it
  for (CUstream_st* stream : device().streams) {
    if (device().failed != cudaSuccess) stream->queue.clear();
  }
  --device().usage.events;
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->stream = stream;
  event->capture = stream->capture;
  if (stream->capture != nullptr) return cudaSuccess;
  return enqueue(stream, [event, generation = ++event->recorded] {
    event->reached = generation;
    event->time = std::chrono::steady_clock::now();
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return guarded([&] { reach(*event, event->recorded); });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const cudaError_t status = guarded([&] {
    if (event->reached < event->recorded && !event->stream->queue.empty()) run_one(*event->stream);
  });
  if (status != cudaSuccess) return status;
  return event->reached >= event->recorded ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return cudaSuccess;
}

// --- graphs

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  return guarded([&] { stream->capture = new CUgraph_st; });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(device().mutex);
  *graph = stream->capture;
  for (CUstream_st* other : device().streams) {
    if (other->capture == *graph) other->capture = nullptr;
  }
  return *graph != nullptr ? device().failed : cudaErrorStreamCaptureInvalidated;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t*, std::size_t* count) {
  *count = graph->operations.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  if (device().control.graphs_to_refuse > 0) {
    --device().control.graphs_to_refuse;
    return cudaErrorInvalidResourceHandle;
  }
  return guarded([&] {
    *executable = new CUgraphExec_st{std::make_shared<const std::vector<Operation>>(graph->operations)};
    ++device().usage.graphs;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  const std::lock_guard lock(device().mutex);
  --device().usage.graphs;
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  tell("graph");
  return enqueue(stream, [operations = executable->operations] {
    for (const Operation& operation : *operations) {
      if (device().failed == cudaSuccess) operation();
    }
  });
}
