// One KV head's raw gates of a few rows, by one block: a kernel of its own, or some blocks of a product's
// launch.
#pragma once

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/gates.hpp"

namespace kernels::cuda {

inline constexpr int kGateThreads = 256;
inline constexpr int kGateRows = 4;  // of a block: they read the head's weights once

// As in the exact products, the norm's factor is applied to the sum: one pass over x, all loads independent.
template <typename W>
__device__ inline void raw_gate_block(const RawGateArgs& args, int first_row, int head) {
  __shared__ float scratch[kGateThreads / kWarp];
  const W* weight = static_cast<const W*>(args.weight) + head * args.head_stride;
  const float* x[kGateRows];
#pragma unroll
  for (int r = 0; r < kGateRows; ++r) {
    const int row =
        first_row + r < args.rows ? first_row + r : args.rows - 1;  // the tail's results are not used
    x[r] = args.x + row * args.x_stride;
  }
  float squares[kGateRows] = {};
  float products[kGateRows] = {};
#pragma unroll 4
  for (int i = static_cast<int>(threadIdx.x); i < args.cols; i += kGateThreads) {
    const float w = to_float(weight[i]) * args.norm_weight[i];
#pragma unroll
    for (int r = 0; r < kGateRows; ++r) {
      const float value = x[r][i];
      squares[r] += value * value;
      products[r] += value * w;
    }
  }
  const float bias = args.bias != nullptr ? args.bias[head * args.bias_stride] : 0.0f;
#pragma unroll
  for (int r = 0; r < kGateRows; ++r) {
    if (first_row + r >= args.rows) break;
    const float mean = block_sum(squares[r], scratch) / static_cast<float>(args.cols);
    const float product = block_sum(products[r], scratch);
    if (threadIdx.x == 0) {
      args.raw[head * args.raw_stride + first_row + r] = product / sqrtf(mean + args.eps) + bias;
    }
  }
}

// Block `index` of gate_blocks(args), whatever the type of the weights.
template <typename T>
__device__ inline void raw_gate_block_of(const RawGateArgs& args, int index) {
  const int head = index % args.kv_heads;
  const int first_row = index / args.kv_heads * kGateRows;
  if (args.dtype == DType::f32) return raw_gate_block<float>(args, first_row, head);
  raw_gate_block<T>(args, first_row, head);
}

constexpr int gate_blocks(const RawGateArgs& args) {
  return (args.rows + kGateRows - 1) / kGateRows * args.kv_heads;
}

}  // namespace kernels::cuda
