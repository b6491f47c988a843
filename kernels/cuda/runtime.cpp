#include "kernels/cuda/runtime.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>

namespace kernels::cuda {

namespace {

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, device), "read an attribute of the GPU");
  return value;
}

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(uuid.bytes[i]));
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits;
  }
  return text;
}

ComputeMode mode_of(int value) {
  if (value == cudaComputeModeProhibited) return ComputeMode::prohibited;
  return value == cudaComputeModeExclusiveProcess ? ComputeMode::exclusive : ComputeMode::shared;
}

// The graph of a capture, destroyed on every way out.
struct Captured {
  cudaGraph_t graph = nullptr;
  ~Captured() {
    if (graph != nullptr) cudaGraphDestroy(graph);
  }
};

}  // namespace

CudaError::CudaError(int code, const std::string& what_failed)
    : std::runtime_error("CUDA could not " + what_failed + ": " +
                         cudaGetErrorString(static_cast<cudaError_t>(code))),
      code_(code) {}

bool CudaError::out_of_memory() const {
  return code_ == cudaErrorMemoryAllocation;
}

bool CudaError::sticky() const {
  constexpr int kSticky[] = {cudaErrorIllegalAddress,      cudaErrorLaunchFailure,
                             cudaErrorLaunchTimeout,       cudaErrorHardwareStackError,
                             cudaErrorIllegalInstruction,  cudaErrorMisalignedAddress,
                             cudaErrorInvalidAddressSpace, cudaErrorInvalidPc,
                             cudaErrorECCUncorrectable,    cudaErrorAssert,
                             cudaErrorDevicesUnavailable,  cudaErrorNvlinkUncorrectable,
                             cudaErrorContained,           cudaErrorUnknown};
  return std::find(std::begin(kSticky), std::end(kSticky), code_) != std::end(kSticky);
}

void check(int code, const char* what_failed) {
  if (code == cudaSuccess) return;
  cudaGetLastError();  // what is reported here must not be reported again by the next call
  throw CudaError(code, what_failed);
}

// --- devices

int driver_version() {
  int version = 0;
  return cudaDriverGetVersion(&version) == cudaSuccess ? version : 0;
}

int runtime_version() {
  int version = 0;
  return cudaRuntimeGetVersion(&version) == cudaSuccess ? version : 0;
}

int device_count() {
  int count = 0;
  check(cudaGetDeviceCount(&count), "list the GPUs");
  return count;
}

DeviceInfo device_info(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "read the properties of a GPU");
  DeviceInfo info;
  info.index = device;
  info.name = properties.name;
  info.uuid = uuid_text(properties.uuid);
  info.compute_major = properties.major;
  info.compute_minor = properties.minor;
  info.multiprocessors = properties.multiProcessorCount;
  info.memory_bus_bits = properties.memoryBusWidth;
  info.memory_clock_khz = attribute(cudaDevAttrMemoryClockRate, device);
  info.total_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
  info.l2_bytes = properties.l2CacheSize;
  info.shared_bytes_per_block = static_cast<int>(properties.sharedMemPerBlockOptin);
  info.compute_mode = mode_of(attribute(cudaDevAttrComputeMode, device));
  return info;
}

void select_device(int device) {
  check(cudaSetDevice(device), "use the GPU");
}

MemoryInfo memory_info() {
  std::size_t free = 0;
  std::size_t total = 0;
  check(cudaMemGetInfo(&free, &total), "ask how much memory the GPU has");
  return {static_cast<std::int64_t>(free), static_cast<std::int64_t>(total)};
}

void synchronize_device() {
  check(cudaDeviceSynchronize(), "finish its work");
}

// --- memory

std::byte* DeviceMemory::allocate(std::size_t bytes) {
  void* data = nullptr;
  check(cudaMalloc(&data, bytes), "allocate memory on the GPU");
  return static_cast<std::byte*>(data);
}

void DeviceMemory::release(std::byte* data) noexcept {
  cudaFree(data);
}

std::byte* PinnedMemory::allocate(std::size_t bytes) {
  void* data = nullptr;
  const cudaError_t code = cudaMallocHost(&data, bytes);
  if (code == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw HostMemoryError(code, "lock " + std::to_string(bytes) + " bytes of the computer's memory in place");
  }
  check(code, "allocate page-locked memory");
  return static_cast<std::byte*>(data);
}

void PinnedMemory::release(std::byte* data) noexcept {
  cudaFreeHost(data);
}

// --- order of work

Stream::Stream() {
  check(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "create a stream");
}

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Stream::~Stream() {
  if (handle_ != nullptr) cudaStreamDestroy(handle_);
}

void Stream::synchronize() const {
  check(cudaStreamSynchronize(handle_), "finish the work of a stream");
}

bool Stream::idle() const {
  const cudaError_t status = cudaStreamQuery(handle_);
  if (status == cudaErrorNotReady) return false;
  check(status, "finish the work of a stream");
  return true;
}

void Stream::wait(const Event& event) const {
  check(cudaStreamWaitEvent(handle_, event.get(), 0), "let a stream wait for an event");
}

Event::Event(Timing timing) {
  const unsigned flags = timing == Timing::on ? cudaEventDefault : cudaEventDisableTiming;
  check(cudaEventCreateWithFlags(&handle_, flags), "create an event");
}

Event& Event::operator=(Event&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Event::~Event() {
  if (handle_ != nullptr) cudaEventDestroy(handle_);
}

void Event::record(const Stream& stream) {
  check(cudaEventRecord(handle_, stream.get()), "record an event");
}

void Event::synchronize() const {
  check(cudaEventSynchronize(handle_), "finish the work before an event");
}

bool Event::done() const {
  const cudaError_t status = cudaEventQuery(handle_);
  if (status == cudaErrorNotReady) return false;
  check(status, "finish the work before an event");
  return true;
}

double Event::milliseconds_since(const Event& start) const {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start.handle_, handle_), "time two events");
  return static_cast<double>(milliseconds);
}

void copy_async(void* to, const void* from, std::size_t bytes, StreamHandle stream) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream), "copy memory");
}

void fill_bytes_async(void* to, unsigned char value, std::size_t bytes, StreamHandle stream) {
  if (bytes == 0) return;
  check(cudaMemsetAsync(to, value, bytes, stream), "fill memory");
}

Graph Graph::capture(const Stream& stream, const std::function<void()>& work) {
  Captured captured;
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "record a graph");
  try {
    work();
  } catch (...) {
    cudaStreamEndCapture(stream.get(), &captured.graph);
    cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(stream.get(), &captured.graph), "record a graph");
  Graph graph;
  check(cudaGraphGetNodes(captured.graph, nullptr, &graph.nodes_), "count the nodes of a graph");
  check(cudaGraphInstantiate(&graph.executable_, captured.graph, 0), "prepare a graph");
  return graph;
}

Graph& Graph::operator=(Graph&& other) noexcept {
  std::swap(executable_, other.executable_);
  std::swap(nodes_, other.nodes_);
  return *this;
}

Graph::~Graph() {
  if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
}

void Graph::launch(const Stream& stream) const {
  check(cudaGraphLaunch(executable_, stream.get()), "launch a graph");
}

}  // namespace kernels::cuda
