// RMSNorm of float32 rows into the element type that the tensor cores read. Products of up to kExactRows rows
// normalise what they read themselves (matmul.hpp).
#pragma once

#include <cstdint>

#include "kernels/cuda/runtime.hpp"
#include "kernels/tensor.hpp"

namespace kernels::cuda {

// out[r, c] = x[r, c] / sqrt(mean_c(x[r]^2) + eps) * weight[c], rounded to `dtype`
struct RmsNormArgs {
  const float* x = nullptr;  // [rows, x_stride]
  std::int64_t x_stride = 0;
  const float* weight = nullptr;  // [cols]
  float eps = 0;
  int rows = 0;
  int cols = 0;
  void* out = nullptr;  // [rows, out_stride] in dtype
  std::int64_t out_stride = 0;
  DType dtype = DType::bf16;  // bf16 or f16
  bool pdl = false;           // see LaunchShape
};
void launch_rmsnorm(const RmsNormArgs& args, StreamHandle stream);

}  // namespace kernels::cuda
