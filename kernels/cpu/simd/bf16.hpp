// Products of bf16 pairs with float32 sums: vdpbf16ps. Included after vector_avx512.hpp and
// round_avx512.hpp.
//
// Activations, queries and softmax weights are rounded to bf16 (relative error at most 2^-9 each, unbiased);
// the instruction flushes subnormals to zero.
#pragma once

#include "kernels/cpu/simd/attend_block.hpp"
#include "kernels/cpu/simd/gemm.hpp"
#include "kernels/cpu/simd/pairs.hpp"

namespace kernels::simd {
namespace {

struct Bf16Product {
  static constexpr Index kPerWord = 2;
  static inline F add_product(F sums, const char* word, F activations) {
    std::int32_t pair;
    __builtin_memcpy(&pair, word, sizeof pair);
    return _mm512_dpbf16_ps(sums, (__m512bh)_mm512_castps_si512(activations),
                            (__m512bh)_mm512_set1_epi32(pair));
  }
};

struct Bf16Gemm : PairGemm<2>, VectorTiles {
  static void multiply(Session&, Index width, const Broadcast& rows, const float* panel, Index steps,
                       float* sums, bool resume) {
    multiply_tile<Bf16Product>(width / kWidth, rows, panel, steps, sums, resume);
  }
};

// Keys and values are bf16 in the cache: keys are pairs as they lie, values are paired up along the keys.
struct Bf16Attention : Bf16Product {
  static Index words(Index dim) { return PairGemm<2>::words(dim); }

  static void query_row(const float* q, Index dim, float scale, float* words) {
    round_row(q, dim, scale, words);
  }

  static void convert_keys(const char* from, Index count, Index dim, float* keys) {
    for (Index j = 0; j < count; ++j) {
      PairGemm<2>::convert_row(from + j * dim * 2, dim, reinterpret_cast<char*>(keys + j * words(dim)));
    }
  }

  static void convert_values(const char* from, Index count, Index dim, Index padded_dim, float* values) {
    for (Index j = 0; j < count; j += 2) {
      const char* even = from + j * dim * 2;
      float* to = values + j / 2 * padded_dim;
      for (Index d = 0; d < dim; d += kWidth) {
        const Index lanes = at_most(kWidth, dim - d);
        const __m512i low = _mm512_cvtepu16_epi32(load_first_halves(even + d * 2, lanes));
        const __m256i odd =
            j + 1 < count ? load_first_halves(even + (dim + d) * 2, lanes) : _mm256_setzero_si256();
        const __m512i pairs = _mm512_or_si512(low, _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16));
        _mm512_mask_storeu_epi32(to + d, first(lanes), pairs);
      }
    }
  }

  static void store_weights(const F (&weights)[2], float* to) {
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                                23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const auto halves = (__m512i)_mm512_cvtne2ps_pbh(weights[1], weights[0]);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(interleave, halves));
  }
};

}  // namespace
}  // namespace kernels::simd
