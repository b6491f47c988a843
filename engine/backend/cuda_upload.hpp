// Copies tensors to a GPU through two page-locked buffers: while one travels the other is filled.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend/backend.hpp"
#include "kernels/tensor.hpp"

namespace engine {

// One row-major tensor, [rows, cols]. Rows on the device are `row_stride` elements apart, the gap zero.
struct Upload {
  const void* data = nullptr;  // on the host, any alignment; null: random values, made on the device
  kernels::DType from = kernels::DType::f32;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::byte* place = nullptr;                // on the device
  kernels::DType to = kernels::DType::bf16;  // `from`, or bf16
  std::int64_t row_stride = 0;

  std::int64_t bytes() const { return rows * row_stride * static_cast<std::int64_t>(kernels::size_of(to)); }
};

// Returns when everything has arrived; fails only if `progress` gives up. Throws kernels::cuda::CudaError.
Status upload_all(const std::vector<Upload>& uploads, const UploadProgress& progress);

}  // namespace engine
