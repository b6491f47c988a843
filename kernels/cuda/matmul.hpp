// Products of activations and weights, with everything that belongs before and after them.
//
// Weights are used as they lie in the checkpoint, row-major [out, in], bf16 or f16; rows begin at multiples
// of 16 bytes. Accumulation is float32. Which kernel runs depends on the number of rows (tokens) alone:
//   1..kExactRows   float32 activations, optionally through RMSNorm, nothing rounded: bound by reading
//   weights
//   ..kSmallRows    activations in the weights' type, tensor cores, each weight still read once
//   more            tiled, for prefill
// Rows of x, in either type, begin at multiples of 16 bytes. Between its last column and the next multiple of
// 8 a row of weights is padded with zeros; what lies there in a row of x is never used.
#pragma once

#include <cstdint>

#include "kernels/cuda/gates.hpp"
#include "kernels/cuda/runtime.hpp"
#include "kernels/tensor.hpp"

namespace kernels::cuda {

inline constexpr int kExactRows = 4;
inline constexpr int kSmallRows = 32;

// What x must be for a product of so many rows of weights of type `weights`.
constexpr DType activation_type(int rows, DType weights) {
  return rows <= kExactRows ? DType::f32 : weights;
}

struct WeightMatrix {
  const void* data = nullptr;   // [rows, row_stride]
  int rows = 0;                 // outputs
  std::int64_t row_stride = 0;  // elements, a multiple of 8
  const float* bias = nullptr;  // [rows] or null
  // Where its product goes: out[r, n] = x[r] . data[n] + bias[n]. GatedArgs ignores it.
  float* out = nullptr;  // [x rows, out_stride]
  std::int64_t out_stride = 0;
};

// What the products have in common.
struct MatmulInput {
  const void* x = nullptr;  // [rows, x_stride] in activation_type(rows, dtype)
  std::int64_t x_stride = 0;
  int rows = 0;
  int cols = 0;
  DType dtype = DType::bf16;  // of the weights
  // RMSNorm of x on the way in. Only up to kExactRows rows; above, x has been normalised by launch_rmsnorm.
  const float* norm_weight = nullptr;  // [cols] or null
  float eps = 0;
  // The launch may begin before its predecessor in the stream has ended; weights are read meanwhile.
  bool pdl = false;
};

// Up to three matrices over the same x in one launch: query, key and value projections, or one of anything.
struct MatmulArgs {
  MatmulInput input;
  WeightMatrix matrices[3];
  int matrix_count = 1;
  bool accumulate = false;  // add to what `out` holds: the residual stream
  // Raw gates of the same rows, if `gates.rows` is not 0: some more blocks of the launch where rows are few,
  // a launch before it where they are many. Weights are float32 or the matrices' type.
  RawGateArgs gates;
};
void launch_matmul(const MatmulArgs& args, StreamHandle stream);

// out[r, n] = silu(x . gate[n] + gate_bias[n]) * (x . up[n] + up_bias[n]); silu(a) = a / (1 + exp(-a)).
// `out` is in activation_type(rows, dtype), because the next product reads it; f16 saturates.
struct GatedMatmulArgs {
  MatmulInput input;
  WeightMatrix gate, up;  // same rows
  void* out = nullptr;    // [rows, out_stride]
  std::int64_t out_stride = 0;
};
void launch_gated_matmul(const GatedMatmulArgs& args, StreamHandle stream);

}  // namespace kernels::cuda
