// Products of few tokens: limited by how fast weights can be read, so weights are read once, as they lie,
// widened to float32 exactly and multiplied by float32 activations. Included after a vector_*.hpp.
#pragma once

#include "kernels/cpu/simd/exponential.hpp"
#include "kernels/cpu/simd/kernels.hpp"

namespace kernels::simd {
namespace {

constexpr int kDotBlock = 16;  // rows whose sums are finished together
constexpr int kDotTokens = 4;  // tokens that share a load of weights
constexpr int kDotRows =
    kWidth == 16 ? 4 : 2;  // rows that share a load of activations, when there are several tokens

template <DType kType>
constexpr Index kBytes = kType == DType::f32 ? 4 : 2;

template <DType kType>
inline F load_weights(const char* p) {
  if constexpr (kType == DType::f32) return load(reinterpret_cast<const float*>(p));
  if constexpr (kType == DType::f16) return load_f16(p);
  if constexpr (kType == DType::bf16) return load_bf16(p);
}

template <DType kType>
inline F load_first_weights(const char* p, Index count) {
  if constexpr (kType == DType::f32) return load_first(reinterpret_cast<const float*>(p), count);
  if constexpr (kType == DType::f16) return load_first_f16(p, count);
  if constexpr (kType == DType::bf16) return load_first_bf16(p, count);
}

struct Sums {
  alignas(64) float of[kDotTokens][kDotBlock];
};

// kRows x kTokens dot products at once. One token has two chains of additions to hide their latency. The
// order of additions within a product does not depend on kRows, so neither does the result.
template <DType kType, int kRows, int kTokens>
inline void dot_tile(const char* w, const float* x, Index x_stride, Index cols, Sums& sums, int row) {
  constexpr int kChains = kTokens == 1 ? 2 : 1;
  const Index row_bytes = cols * kBytes<kType>;
  F acc[extent(kChains)][extent(kTokens)][extent(kRows)];
  for (auto& chain : acc)
    for (auto& token : chain)
      for (F& lanes : token) lanes = zero();
  Index c = 0;
  for (; c + kChains * kWidth <= cols; c += kChains * kWidth) {
#pragma GCC unroll 2
    for (int u = 0; u < kChains; ++u) {
      F weights[extent(kRows)];
      const Index at = c + u * kWidth;
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r)
        weights[r] = load_weights<kType>(w + r * row_bytes + at * kBytes<kType>);
#pragma GCC unroll 4
      for (int t = 0; t < kTokens; ++t) {
        const F activations = load(x + t * x_stride + at);
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) acc[u][t][r] = fma(weights[r], activations, acc[u][t][r]);
      }
    }
  }
  for (; c < cols; c += kWidth) {
    const bool whole = c + kWidth <= cols;
    for (int t = 0; t < kTokens; ++t) {
      const float* from = x + t * x_stride + c;
      const F activations = whole ? load(from) : load_first(from, cols - c);
      for (int r = 0; r < kRows; ++r) {
        const char* p = w + r * row_bytes + c * kBytes<kType>;
        const F weights = whole ? load_weights<kType>(p) : load_first_weights<kType>(p, cols - c);
        acc[0][t][r] = fma(weights, activations, acc[0][t][r]);
      }
    }
  }
  for (int t = 0; t < kTokens; ++t) {
    for (int r = 0; r < kRows; ++r) {
      F total = acc[0][t][r];
      if constexpr (kChains == 2) total = add(total, acc[1][t][r]);
      sums.of[t][row + r] = sum(total);
    }
  }
}

template <DType kType, int kTokens>
inline void dot_block(const char* w, const float* x, Index x_stride, Index cols, int rows, Sums& sums) {
  constexpr int kRows = kTokens == 1 ? kStreams : kDotRows;
  const Index row_bytes = cols * kBytes<kType>;
  int r = 0;
  for (; r + kRows <= rows; r += kRows)
    dot_tile<kType, kRows, kTokens>(w + r * row_bytes, x, x_stride, cols, sums, r);
  for (; r < rows; ++r) dot_tile<kType, 1, kTokens>(w + r * row_bytes, x, x_stride, cols, sums, r);
}

using DotBlock = void (*)(const char* w, const float* x, Index x_stride, Index cols, int rows, Sums& sums);

template <DType kType>
inline DotBlock dot_block_for(Index tokens) {
  switch (tokens) {
    case 1:
      return dot_block<kType, 1>;
    case 2:
      return dot_block<kType, 2>;
    case 3:
      return dot_block<kType, 3>;
    default:
      return dot_block<kType, 4>;
  }
}

inline DotBlock dot_block_for(DType dtype, Index tokens) {
  if (dtype == DType::f32) return dot_block_for<DType::f32>(tokens);
  if (dtype == DType::f16) return dot_block_for<DType::f16>(tokens);
  return dot_block_for<DType::bf16>(tokens);
}

inline const char* row_of(const Matrix& w, Index row) {
  return static_cast<const char*>(w.data) + row * w.cols * (w.dtype == DType::f32 ? 4 : 2);
}

// Adds bias[0..count) to a run of outputs and writes them, or adds them to what is there.
inline void finish_run(const float* sums, const float* bias, float* out, Index count, bool accumulate) {
  for (Index i = 0; i < count; ++i) {
    float value = sums[i];
    if (bias != nullptr) value += bias[i];
    out[i] = accumulate ? out[i] + value : value;
  }
}

inline void dot_rows(const MatmulArgs& args, RowRange rows) {
  Sums sums;
  for (Index n = rows.begin; n < rows.end; n += kDotBlock) {
    const Index count = at_most(kDotBlock, rows.end - n);
    const float* bias = args.bias == nullptr ? nullptr : args.bias + n;
    for (Index m = 0; m < args.m; m += kDotTokens) {
      const Index tokens = at_most(kDotTokens, args.m - m);
      dot_block_for(args.w.dtype, tokens)(row_of(args.w, n), args.x + m * args.x_stride, args.x_stride,
                                          args.w.cols, static_cast<int>(count), sums);
      for (Index t = 0; t < tokens; ++t) {
        finish_run(sums.of[t], bias, args.out + (m + t) * args.out_stride + n, count, args.accumulate);
      }
    }
  }
}

// silu(gate) * up into gate, over a whole block: lanes beyond the block's rows hold leftovers that nobody
// reads.
inline void gate_sums(Sums& gate, const Sums& up, Index tokens) {
  for (Index t = 0; t < tokens; ++t) {
    for (Index r = 0; r < kDotBlock; r += kWidth) {
      store(&gate.of[t][r], mul(silu(load(&gate.of[t][r])), load(&up.of[t][r])));
    }
  }
}

inline void add_bias(Sums& sums, const float* bias, Index tokens, Index count) {
  if (bias == nullptr) return;
  for (Index t = 0; t < tokens; ++t)
    for (Index r = 0; r < count; ++r) sums.of[t][r] += bias[r];
}

inline void gated_dot_rows(const GatedMatmulArgs& args, RowRange rows) {
  Sums gate{};
  Sums up{};
  for (Index n = rows.begin; n < rows.end; n += kDotBlock) {
    const Index count = at_most(kDotBlock, rows.end - n);
    for (Index m = 0; m < args.m; m += kDotTokens) {
      const Index tokens = at_most(kDotTokens, args.m - m);
      const float* x = args.x + m * args.x_stride;
      const DotBlock dot = dot_block_for(args.gate.dtype, tokens);
      dot(row_of(args.gate, n), x, args.x_stride, args.gate.cols, static_cast<int>(count), gate);
      dot(row_of(args.up, n), x, args.x_stride, args.up.cols, static_cast<int>(count), up);
      add_bias(gate, args.gate_bias == nullptr ? nullptr : args.gate_bias + n, tokens, count);
      add_bias(up, args.up_bias == nullptr ? nullptr : args.up_bias + n, tokens, count);
      gate_sums(gate, up, tokens);
      for (Index t = 0; t < tokens; ++t) {
        finish_run(gate.of[t], nullptr, args.out + (m + t) * args.out_stride + n, count, false);
      }
    }
  }
}

}  // namespace
}  // namespace kernels::simd
