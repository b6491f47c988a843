// Rounding of float32 to pairs of bf16 with AVX512-BF16. Included after vector_avx512.hpp.
#pragma once

namespace kernels::simd {
namespace {

// `cols` values as pairs; an odd one is paired with zero.
inline void round_row(const float* from, Index cols, float scale, float* words) {
  auto* to = reinterpret_cast<char*>(words);
  const F factor = set1(scale);
  Index c = 0;
  for (; c + kWidth <= cols; c += kWidth) {
    const __m256i bits = (__m256i)_mm512_cvtneps_pbh(mul(load(from + c), factor));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + c * 2), bits);
  }
  if (c < cols) {
    const __m256i bits = (__m256i)_mm512_cvtneps_pbh(mul(load_first(from + c, cols - c), factor));
    _mm256_mask_storeu_epi16(to + c * 2, first(round_up(cols - c, 2)), bits);
  }
}

}  // namespace
}  // namespace kernels::simd
