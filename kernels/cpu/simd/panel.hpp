// The register-blocked heart of matrix products and of attention over blocks. Included after a vector_*.hpp.
//
// A panel holds up to kPanelTokens tokens side by side: step s of token t is the 32-bit word panel[s * width
// + t], where width is the panel's number of tokens rounded up to whole vectors. A word is what one
// multiplication takes: a float32, or a pair of bf16 values that are neighbours along the inner dimension.
// The other operand (weights, keys, values) is read a word at a time from where it lies and broadcast, so it
// needs no packing. The result tile holds sums[row * width + token].
#pragma once

#include "kernels/cpu/simd/kernels.hpp"

namespace kernels::simd {
namespace {

constexpr Index kPanelTokens = kPanelVectors * kWidth;
// Inner steps between spills of the sums, so that a panel stays in L2 beside the weights of a chunk.
constexpr Index kBlockSteps = 2048;

inline Index vectors_for(Index tokens) {
  return (tokens + kWidth - 1) / kWidth;
}

// Rows of the broadcast operand: row r of step s lies at data + r * row_stride + s * step_stride (bytes).
struct Broadcast {
  const char* data;
  Index row_stride;
  Index step_stride;
};

// float32 times float32.
struct FloatProduct {
  static constexpr Index kPerWord = 1;
  static inline F add_product(F sums, const char* word, F activations) {
    float value;
    __builtin_memcpy(&value, word, sizeof value);
    return fma(set1(value), activations, sums);
  }
};

// sums (+)= products of kTileRows rows with one panel over `steps` steps.
template <class Product, int kVectors>
inline void multiply_tile_of(const Broadcast& rows, const float* panel, Index steps, float* sums,
                             bool resume) {
  F acc[extent(kTileRows)][extent(kVectors)];
#pragma GCC unroll 8
  for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      acc[r][v] = resume ? load(sums + (r * kVectors + v) * kWidth) : zero();
    }
  }
  const char* row[extent(kTileRows)];
#pragma GCC unroll 8
  for (int r = 0; r < kTileRows; ++r) row[r] = rows.data + r * rows.row_stride;
  Index offset = 0;
  for (Index s = 0; s < steps; ++s) {
    F x[extent(kVectors)];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) x[v] = load(panel + v * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) acc[r][v] = Product::add_product(acc[r][v], row[r] + offset, x[v]);
    }
    panel += kVectors * kWidth;
    offset += rows.step_stride;
  }
#pragma GCC unroll 8
  for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store(sums + (r * kVectors + v) * kWidth, acc[r][v]);
  }
}

template <class Product>
inline void multiply_tile(Index vectors, const Broadcast& rows, const float* panel, Index steps, float* sums,
                          bool resume) {
  static_assert(kPanelVectors <= 3);
  if constexpr (kPanelVectors >= 3) {
    if (vectors == 3) return multiply_tile_of<Product, 3>(rows, panel, steps, sums, resume);
  }
  if (vectors == 2) return multiply_tile_of<Product, 2>(rows, panel, steps, sums, resume);
  return multiply_tile_of<Product, 1>(rows, panel, steps, sums, resume);
}

// panel[s * width + t] = word s of rows[t], for `words` words; `rows` has an entry for each of the width
// lanes.
inline void transpose_into_panel(const float* const* rows, Index words, Index width, float* panel) {
  Index s = 0;
  for (; s + 4 <= words; s += 4) {
    for (Index t = 0; t < width; t += kWidth) {
      F a = gather4(rows + t, s);
      F b = gather4(rows + t + 1, s);
      F c = gather4(rows + t + 2, s);
      F d = gather4(rows + t + 3, s);
      transpose4(a, b, c, d);
      float* to = panel + s * width + t;
      store(to, a);
      store(to + width, b);
      store(to + 2 * width, c);
      store(to + 3 * width, d);
    }
  }
  for (; s < words; ++s) {
    for (Index t = 0; t < width; ++t) __builtin_memcpy(panel + s * width + t, rows[t] + s, sizeof(float));
  }
}

// Where and how a tile's sums go: out[token][first_row ...] for `tokens` tokens and `rows` rows.
struct TileOutput {
  float* const* token;  // address of each token's output row
  Index tokens;
  Index first_row;
  Index rows;
  const float* bias;  // indexed by row, or null
  bool accumulate;
};

template <int kQuarter>
inline void store_quarter(const F (&columns)[4], const TileOutput& out, Index token, Index row, F4 bias) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const Index t = token + kQuarter * 4 + i;
    if (t >= out.tokens) return;
    float* to = out.token[t] + out.first_row + row;
    F4 value = add4(quarter<kQuarter>(columns[i]), bias);
    if (out.accumulate) value = add4(value, load4(to));
    store4(to, value);
  }
}

// Writes a tile transposed: its lanes are tokens, and the output's neighbours are rows.
inline void store_tile(const float* sums, Index width, const TileOutput& out) {
  Index row = 0;
  for (; row + 4 <= out.rows; row += 4) {
    const F4 bias = out.bias == nullptr ? set1_4(0) : load4(out.bias + out.first_row + row);
    for (Index t = 0; t < out.tokens; t += kWidth) {
      const float* from = sums + row * width + t;
      F columns[4] = {load(from), load(from + width), load(from + 2 * width), load(from + 3 * width)};
      transpose4(columns[0], columns[1], columns[2], columns[3]);
      store_quarter<0>(columns, out, t, row, bias);
      if constexpr (kWidth >= 8) store_quarter<1>(columns, out, t, row, bias);
      if constexpr (kWidth >= 16) {
        store_quarter<2>(columns, out, t, row, bias);
        store_quarter<3>(columns, out, t, row, bias);
      }
    }
  }
  for (; row < out.rows; ++row) {
    for (Index t = 0; t < out.tokens; ++t) {
      float* to = out.token[t] + out.first_row + row;
      float value = sums[row * width + t];
      if (out.bias != nullptr) value += out.bias[out.first_row + row];
      *to = out.accumulate ? *to + value : value;
    }
  }
}

}  // namespace
}  // namespace kernels::simd
