// Decision logits before scale, offset and query norm, from float32 activations whatever the matmuls round:
//   raw[head, row] = RMSNorm(x[row]) . weight[head] + bias[head]
// Adapter: its own norm and float32 weights. Borrowed neuron: the attention's input norm, and the row of the
// query projection that is the last channel of the group's first query head. What becomes of `raw` is
// GateRule's (judgement.hpp).
#pragma once

#include <cstdint>

#include "kernels/cuda/runtime.hpp"
#include "kernels/tensor.hpp"

namespace kernels::cuda {

struct RawGateArgs {
  const float* x = nullptr;  // [rows, x_stride] the layer's input, before the input norm
  std::int64_t x_stride = 0;
  int rows = 0;
  int cols = 0;
  const float* norm_weight = nullptr;  // [cols]
  float eps = 0;
  int kv_heads = 0;
  const void* weight = nullptr;  // of head 0, [cols]
  DType dtype = DType::f32;      // any
  std::int64_t head_stride = 0;  // elements between the weights of two heads
  const float* bias = nullptr;   // of head 0, or null
  std::int64_t bias_stride = 0;  // floats between the biases of two heads
  float* raw = nullptr;          // [kv_heads, raw_stride]
  std::int64_t raw_stride = 0;
  bool pdl = false;
};
void launch_raw_gates(const RawGateArgs& args, StreamHandle stream);

}  // namespace kernels::cuda
