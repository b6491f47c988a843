// Device memory that grows at a fixed address: page pools and tables whose size nobody knows at the start,
// whose addresses kernels and recorded graphs keep.
//
// Reserves address space and backs it with memory piece by piece (CUDA's virtual memory management). Where
// that is not supported all of it is allocated at once: ask can_grow() before reserving more than is needed.
// Content is kept; new memory is undefined. One thread at a time; nothing may be running while it grows.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "kernels/cuda/runtime.hpp"

namespace kernels::cuda {

// Whether the selected device backs reserved addresses later. Takes some milliseconds.
bool can_grow();

class GrowingBuffer {
 public:
  GrowingBuffer() = default;
  explicit GrowingBuffer(std::size_t reserved_bytes);
  GrowingBuffer(GrowingBuffer&& other) noexcept { *this = std::move(other); }
  GrowingBuffer& operator=(GrowingBuffer&& other) noexcept;
  ~GrowingBuffer();

  std::byte* data() const { return data_; }
  // Backed with memory; at least what was asked for, because memory comes in granules of some MiB.
  std::size_t bytes() const { return bytes_; }
  std::size_t reserved_bytes() const { return reserved_bytes_; }

  // Makes bytes() at least `bytes`, which is at most reserved_bytes(). Throws CudaError, with nothing
  // changed.
  void grow(std::size_t bytes);

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t reserved_bytes_ = 0;
  int device_ = 0;
  std::vector<std::size_t> pieces_;  // in order; each is unmapped as it was mapped
  DeviceBuffer whole_;               // where memory cannot grow
};

}  // namespace kernels::cuda
