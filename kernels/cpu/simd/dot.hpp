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

// The sum of each vector's lanes.
inline F4 sum_each(F a, F b, F c, F d) {
  transpose4(a, b, c, d);
  return sum_quarters(add(add(a, b), add(c, d)));
}

struct Sums {
  alignas(64) float of[kDotTokens][kDotBlock];
};

// kRows x kTokens dot products at once: sums[r][t * kDotBlock] = row[r] . x[t]. One token has two chains of
// additions to hide their latency. The order of additions within a product depends on the number of tokens
// alone, so the way rows are grouped does not change a result. `ahead` is what will be read next, or null: it
// is prefetched in one linear run, because rows read side by side confuse some processors' own prefetchers.
template <DType kType, int kRows, int kTokens>
inline void dot_tile(const char* const* row, const float* x, Index x_stride, Index cols,
                     const char* const* ahead, Index ahead_rows, float* const* sums) {
  constexpr int kChains = kTokens == 1 ? 2 : 1;
  constexpr Index kStepBytes = kChains * kWidth * kBytes<kType>;
  F acc[extent(kChains)][extent(kTokens)][extent(kRows)];
  for (auto& chain : acc)
    for (auto& token : chain)
      for (F& lanes : token) lanes = zero();
  Index c = 0;
  for (; c + kChains * kWidth <= cols; c += kChains * kWidth) {
    if (ahead_rows != 0) {
      const Index at = c * kBytes<kType> * ahead_rows;
      for (Index line = 0; line < kStepBytes * ahead_rows; line += 64) {
        __builtin_prefetch(ahead[0] + at + line);
        if (ahead[1] != nullptr) __builtin_prefetch(ahead[1] + at + line);
      }
    }
#pragma GCC unroll 2
    for (int u = 0; u < kChains; ++u) {
      F weights[extent(kRows)];
      const Index at = c + u * kWidth;
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) weights[r] = load_weights<kType>(row[r] + at * kBytes<kType>);
#pragma GCC unroll 4
      for (int t = 0; t < kTokens; ++t) {
        const F activations = load(x + t * x_stride + at);
#pragma GCC unroll 4
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
        const char* p = row[r] + c * kBytes<kType>;
        const F weights = whole ? load_weights<kType>(p) : load_first_weights<kType>(p, cols - c);
        acc[0][t][r] = fma(weights, activations, acc[0][t][r]);
      }
    }
  }
#pragma GCC unroll 4
  for (int t = 0; t < kTokens; ++t) {
    if constexpr (kRows == 4 && kTokens > 1) {
      alignas(16) float four[4];
      store4(four, sum_each(acc[0][t][0], acc[0][t][1], acc[0][t][2], acc[0][t][3]));
      for (int r = 0; r < kRows; ++r) sums[r][t * kDotBlock] = four[r];
    } else {
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        F total = acc[0][t][r];
        if constexpr (kChains == 2) total = add(total, acc[1][t][r]);
        sums[r][t * kDotBlock] = sum(total);
      }
    }
  }
}

// Rows of one matrix, or of two side by side: gate and up are read together, so that each is one long stream.
struct Rows {
  const char* data[2];
  Index row_bytes;
  int count;
};

template <DType kType, int kMatrices, int kRows, int kTokens>
inline void dot_group(const Rows& rows, int first, const float* x, Index x_stride, Index cols,
                      bool prefetch_next, Sums* sums) {
  const char* row[extent(kMatrices * kRows)];
  float* to[extent(kMatrices * kRows)];
  const char* ahead[2] = {};
#pragma GCC unroll 2
  for (int i = 0; i < kMatrices; ++i) {
    ahead[i] = rows.data[i] + (first + kRows) * rows.row_bytes;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      row[i * kRows + r] = rows.data[i] + (first + r) * rows.row_bytes;
      to[i * kRows + r] = &sums[i].of[0][first + r];
    }
  }
  dot_tile<kType, kMatrices * kRows, kTokens>(row, x, x_stride, cols, ahead, prefetch_next ? kRows : 0, to);
}

template <DType kType, int kMatrices, int kTokens>
inline void dot_block(const Rows& rows, const float* x, Index x_stride, Index cols, int streams,
                      bool first_tokens, Sums* sums) {
  // Several tokens share each load of activations among rows, and then prefetch: both cost one token more
  // than they gain.
  constexpr int kRows = kTokens == 1 ? kManyStreams / kMatrices : kDotRows / kMatrices;
  constexpr bool kPrefetch = kTokens > 1;
  int r = 0;
  if (kTokens > 1 || streams > 1) {
    for (; r + kRows <= rows.count; r += kRows) {
      dot_group<kType, kMatrices, kRows, kTokens>(rows, r, x, x_stride, cols, kPrefetch && first_tokens,
                                                  sums);
    }
  }
  for (; r < rows.count; ++r)
    dot_group<kType, kMatrices, 1, kTokens>(rows, r, x, x_stride, cols, false, sums);
}

using DotBlock = void (*)(const Rows& rows, const float* x, Index x_stride, Index cols, int streams,
                          bool first_tokens, Sums* sums);

template <DType kType, int kMatrices>
inline DotBlock dot_block_for(Index tokens) {
  switch (tokens) {
    case 1:
      return dot_block<kType, kMatrices, 1>;
    case 2:
      return dot_block<kType, kMatrices, 2>;
    case 3:
      return dot_block<kType, kMatrices, 3>;
    default:
      return dot_block<kType, kMatrices, 4>;
  }
}

template <int kMatrices>
inline DotBlock dot_block_for(DType dtype, Index tokens) {
  if (dtype == DType::f32) return dot_block_for<DType::f32, kMatrices>(tokens);
  if (dtype == DType::f16) return dot_block_for<DType::f16, kMatrices>(tokens);
  return dot_block_for<DType::bf16, kMatrices>(tokens);
}

inline Index row_bytes_of(const Matrix& w) {
  return w.cols * (w.dtype == DType::f32 ? 4 : 2);
}
inline const char* row_of(const Matrix& w, Index row) {
  return static_cast<const char*>(w.data) + row * row_bytes_of(w);
}

// Adds bias[0..count) to a run of outputs and writes them, or adds them to what is there.
inline void finish_run(const float* sums, const float* bias, float* out, Index count, bool accumulate) {
  for (Index i = 0; i < count; ++i) {
    float value = sums[i];
    if (bias != nullptr) value += bias[i];
    out[i] = accumulate ? out[i] + value : value;
  }
}

inline void dot_rows(const MatmulArgs& args, RowRange rows, int streams) {
  Sums sums;
  for (Index n = rows.begin; n < rows.end; n += kDotBlock) {
    const auto count = static_cast<int>(at_most(kDotBlock, rows.end - n));
    const Rows block{{row_of(args.w, n), nullptr}, row_bytes_of(args.w), count};
    const float* bias = args.bias == nullptr ? nullptr : args.bias + n;
    for (Index m = 0; m < args.m; m += kDotTokens) {
      const Index tokens = at_most(kDotTokens, args.m - m);
      const float* x = args.x + m * args.x_stride;
      dot_block_for<1>(args.w.dtype, tokens)(block, x, args.x_stride, args.w.cols, streams, m == 0, &sums);
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

inline void gated_dot_rows(const GatedMatmulArgs& args, RowRange rows, int streams) {
  Sums sums[2] = {};  // of gate and up
  for (Index n = rows.begin; n < rows.end; n += kDotBlock) {
    const auto count = static_cast<int>(at_most(kDotBlock, rows.end - n));
    const Rows block{{row_of(args.gate, n), row_of(args.up, n)}, row_bytes_of(args.gate), count};
    for (Index m = 0; m < args.m; m += kDotTokens) {
      const Index tokens = at_most(kDotTokens, args.m - m);
      const float* x = args.x + m * args.x_stride;
      dot_block_for<2>(args.gate.dtype, tokens)(block, x, args.x_stride, args.gate.cols, streams, m == 0,
                                                sums);
      add_bias(sums[0], args.gate_bias == nullptr ? nullptr : args.gate_bias + n, tokens, count);
      add_bias(sums[1], args.up_bias == nullptr ? nullptr : args.up_bias + n, tokens, count);
      gate_sums(sums[0], sums[1], tokens);
      for (Index t = 0; t < tokens; ++t) {
        finish_run(sums[0].of[t], nullptr, args.out + (m + t) * args.out_stride + n, count, false);
      }
    }
  }
}

}  // namespace
}  // namespace kernels::simd
