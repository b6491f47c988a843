// Owners of what a CUDA device lends: memory, streams, events, graphs; and the errors of its runtime.
//
// The only place that allocates and frees on a device. Names no type of the CUDA headers, so that it compiles
// without a toolkit; what is behind it is the CUDA runtime, or the emulation that the tests run on.
// Everything that fails throws CudaError, except destructors, which ignore what a broken device answers. An
// owner belongs to the device that was selected when it was made. One thread at a time per object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

struct CUstream_st;
struct CUevent_st;
struct CUgraphExec_st;

namespace kernels::cuda {

// What the CUDA headers call cudaStream_t: a stream somebody else owns.
using StreamHandle = CUstream_st*;

class CudaError : public std::runtime_error {
 public:
  CudaError(int code, const std::string& what_failed);
  int code() const { return code_; }  // cudaError_t
  bool out_of_memory() const;
  // The device refuses all further work of this process (illegal access, lost device, failed launch).
  bool sticky() const;

 private:
  int code_;
};

// The computer, not the GPU, has too little memory that can be locked in place.
class HostMemoryError final : public CudaError {
  using CudaError::CudaError;
};

// Throws unless `code` is cudaSuccess; `what_failed` says what was asked for, for people.
void check(int code, const char* what_failed);

// --- launches

// Whether kernels start while their predecessors in the stream still run, and wait for them inside
// (programmatic dependent launch): where the selected device can, and neither the environment (DMSCOPE_PDL=0)
// nor forbid_...() says no. From any thread.
bool dependent_launches();
// From now on, in the whole process.
void forbid_dependent_launches();

// --- devices

enum class ComputeMode : std::uint8_t { shared, exclusive, prohibited };

struct DeviceInfo {
  int index = 0;
  std::string name;
  std::string uuid;  // as nvidia-smi writes it, "GPU-..."
  int compute_major = 0;
  int compute_minor = 0;
  int multiprocessors = 0;
  int memory_bus_bits = 0;
  int memory_clock_khz = 0;  // 0 where the driver does not say
  std::int64_t total_bytes = 0;
  std::int64_t l2_bytes = 0;
  int shared_bytes_per_block = 0;  // the most a kernel may ask for
  ComputeMode compute_mode = ComputeMode::shared;
};

struct MemoryInfo {
  std::int64_t free_bytes = 0;
  std::int64_t total_bytes = 0;
};

// Versions as 1000 * major + 10 * minor; 0 where there is no driver.
int driver_version();
int runtime_version();
int device_count();  // throws where there is no usable driver
DeviceInfo device_info(int device);
void select_device(int device);  // for the calling thread; creates the context
MemoryInfo memory_info();
void synchronize_device();
// Whether kernels for this device are in the program: throws with the reason if one cannot be loaded.
void check_kernels_load();

// --- memory

// Bytes of one kind of memory, content undefined. CudaError::out_of_memory if there is not enough.
template <typename Memory>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes) : data_(bytes == 0 ? nullptr : Memory::allocate(bytes)), bytes_(bytes) {}
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) Memory::release(data_);
  }

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

template <typename T, typename Memory>
class Array {
 public:
  Array() = default;
  explicit Array(std::size_t count) : buffer_(count * sizeof(T)) {}
  T* data() const { return reinterpret_cast<T*>(buffer_.data()); }
  std::size_t size() const { return buffer_.bytes() / sizeof(T); }
  std::size_t bytes() const { return buffer_.bytes(); }

 private:
  Buffer<Memory> buffer_;
};

// On the device, 256-byte aligned.
struct DeviceMemory {
  static std::byte* allocate(std::size_t bytes);
  static void release(std::byte* data) noexcept;
};
using DeviceBuffer = Buffer<DeviceMemory>;
template <typename T>
using DeviceArray = Array<T, DeviceMemory>;

// Page-locked memory of the host: what asynchronous copies need. HostMemoryError if there is not enough.
struct PinnedMemory {
  static std::byte* allocate(std::size_t bytes);
  static void release(std::byte* data) noexcept;
};
using PinnedBuffer = Buffer<PinnedMemory>;
template <typename T>
class PinnedArray : public Array<T, PinnedMemory> {
 public:
  using Array<T, PinnedMemory>::Array;
  T& operator[](std::size_t i) const { return this->data()[i]; }
  std::span<T> span() const { return {this->data(), this->size()}; }
};

// --- order of work

class Event;

class Stream {
 public:
  Stream();  // does not wait for the default stream
  Stream(Stream&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  StreamHandle get() const { return handle_; }
  void synchronize() const;
  bool idle() const;
  void wait(const Event& event) const;  // later work waits for what `event` has recorded

 private:
  StreamHandle handle_ = nullptr;
};

class Event {
 public:
  enum class Timing : std::uint8_t { off, on };
  explicit Event(Timing timing = Timing::off);
  Event(Event&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Event& operator=(Event&& other) noexcept;
  ~Event();

  CUevent_st* get() const { return handle_; }
  void record(const Stream& stream);
  void synchronize() const;
  bool done() const;
  double milliseconds_since(const Event& start) const;  // both with Timing::on and done

 private:
  CUevent_st* handle_ = nullptr;
};

// Copies between host and device in either direction. Host memory must stay as it is until the copy is done.
void copy_async(void* to, const void* from, std::size_t bytes, StreamHandle stream);
void fill_bytes_async(void* to, unsigned char value, std::size_t bytes, StreamHandle stream);

// Work recorded once, launched many times.
class Graph {
 public:
  Graph() = default;
  // Records what `work` sends to `stream` (and to streams that wait for its events). Nothing runs.
  static Graph capture(const Stream& stream, const std::function<void()>& work);
  Graph(Graph&& other) noexcept
      : executable_(std::exchange(other.executable_, nullptr)), nodes_(std::exchange(other.nodes_, 0)) {}
  Graph& operator=(Graph&& other) noexcept;
  ~Graph();

  explicit operator bool() const { return executable_ != nullptr; }
  void launch(const Stream& stream) const;
  std::size_t nodes() const { return nodes_; }

 private:
  CUgraphExec_st* executable_ = nullptr;
  std::size_t nodes_ = 0;
};

}  // namespace kernels::cuda
