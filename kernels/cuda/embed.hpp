// Rows of the embedding table, and rows of activations, gathered into float32 activations.
#pragma once

#include <cstdint>

#include "kernels/cuda/runtime.hpp"
#include "kernels/tensor.hpp"

namespace kernels::cuda {

struct EmbedArgs {
  const std::int32_t* tokens = nullptr;  // [rows] on the device; a negative one gives a row of zeros
  int rows = 0;
  const void* table = nullptr;  // [vocab, row_stride]
  DType dtype = DType::bf16;    // bf16 or f16
  std::int64_t row_stride = 0;  // elements
  int cols = 0;
  float* out = nullptr;  // [rows, out_stride]
  std::int64_t out_stride = 0;
};
void launch_embed(const EmbedArgs& args, StreamHandle stream);

// out[i] = x[rows_wanted[i]]: the rows whose logits are asked for.
struct GatherArgs {
  const float* x = nullptr;  // [any, x_stride]
  std::int64_t x_stride = 0;
  const std::int32_t* rows_wanted = nullptr;  // [rows] on the device
  int rows = 0;
  int cols = 0;
  float* out = nullptr;  // [rows, out_stride]
  std::int64_t out_stride = 0;
};
void launch_gather(const GatherArgs& args, StreamHandle stream);

}  // namespace kernels::cuda
