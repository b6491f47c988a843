// Sixteen float32 lanes: AVX-512 F, BW, VL and DQ. See vector_portable.hpp for what each function means.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/cpu/simd/index.hpp"

namespace kernels::simd {
namespace {

using F = __m512;
constexpr int kWidth = 16;
constexpr int kTileRows = 8;
constexpr int kPanelVectors = 3;
constexpr int kSlotHeads = 4;

inline F zero() {
  return _mm512_setzero_ps();
}
inline F set1(float value) {
  return _mm512_set1_ps(value);
}
inline F load(const float* p) {
  return _mm512_loadu_ps(p);
}
inline void store(float* p, F value) {
  _mm512_storeu_ps(p, value);
}
inline F add(F a, F b) {
  return _mm512_add_ps(a, b);
}
inline F sub(F a, F b) {
  return _mm512_sub_ps(a, b);
}
inline F mul(F a, F b) {
  return _mm512_mul_ps(a, b);
}
inline F div(F a, F b) {
  return _mm512_div_ps(a, b);
}
inline F fma(F a, F b, F c) {
  return _mm512_fmadd_ps(a, b, c);
}
inline F max(F a, F b) {
  return _mm512_max_ps(a, b);
}
inline F min(F a, F b) {
  return _mm512_min_ps(a, b);
}
inline float sum(F a) {
  return _mm512_reduce_add_ps(a);
}
inline bool all_equal(F a, F b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ) == 0xffff;
}

inline __mmask16 first(Index count) {
  return static_cast<__mmask16>((1u << count) - 1u);
}
inline F load_first(const float* p, Index count) {
  return _mm512_maskz_loadu_ps(first(count), p);
}
inline void store_first(float* p, F value, Index count) {
  _mm512_mask_storeu_ps(p, first(count), value);
}

inline F widen_bf16(__m256i bits) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline __m256i load_halves(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline __m256i load_first_halves(const void* p, Index count) {
  return _mm256_maskz_loadu_epi16(first(count), p);
}
inline F load_bf16(const void* p) {
  return widen_bf16(load_halves(p));
}
inline F load_first_bf16(const void* p, Index count) {
  return widen_bf16(load_first_halves(p, count));
}
inline F load_f16(const void* p) {
  return _mm512_cvtph_ps(load_halves(p));
}
inline F load_first_f16(const void* p, Index count) {
  return _mm512_cvtph_ps(load_first_halves(p, count));
}

inline F times_power_of_two(F a, F magic) {
  const __m512i exponent =
      _mm512_slli_epi32(_mm512_add_epi32(_mm512_castps_si512(magic), _mm512_set1_epi32(127)), 23);
  return _mm512_mul_ps(a, _mm512_castsi512_ps(exponent));
}

inline F where_visible(F value, F otherwise, const std::int32_t* query, std::int32_t key, std::int32_t last) {
  const __m512i at = _mm512_loadu_si512(query);
  const __mmask16 visible = _mm512_cmple_epi32_mask(_mm512_set1_epi32(key), at) &
                            _mm512_cmple_epi32_mask(at, _mm512_set1_epi32(last));
  return _mm512_mask_blend_ps(visible, otherwise, value);
}

inline F gather4(const float* const* rows, Index offset) {
  const __m128 r0 = _mm_loadu_ps(rows[0] + offset);
  const __m128 r1 = _mm_loadu_ps(rows[4] + offset);
  const __m128 r2 = _mm_loadu_ps(rows[8] + offset);
  const __m128 r3 = _mm_loadu_ps(rows[12] + offset);
  const F low = _mm512_insertf32x4(_mm512_castps128_ps512(r0), r1, 1);
  return _mm512_insertf32x4(_mm512_insertf32x4(low, r2, 2), r3, 3);
}

inline void transpose4(F& a, F& b, F& c, F& d) {
  const F ab_low = _mm512_unpacklo_ps(a, b);
  const F ab_high = _mm512_unpackhi_ps(a, b);
  const F cd_low = _mm512_unpacklo_ps(c, d);
  const F cd_high = _mm512_unpackhi_ps(c, d);
  a = _mm512_shuffle_ps(ab_low, cd_low, 0x44);
  b = _mm512_shuffle_ps(ab_low, cd_low, 0xee);
  c = _mm512_shuffle_ps(ab_high, cd_high, 0x44);
  d = _mm512_shuffle_ps(ab_high, cd_high, 0xee);
}

using F4 = __m128;
inline F4 load4(const float* p) {
  return _mm_loadu_ps(p);
}
inline void store4(float* p, F4 value) {
  _mm_storeu_ps(p, value);
}
inline F4 add4(F4 a, F4 b) {
  return _mm_add_ps(a, b);
}
inline F4 set1_4(float value) {
  return _mm_set1_ps(value);
}
inline F4 mul4(F4 a, F4 b) {
  return _mm_mul_ps(a, b);
}
template <int kLane>
inline F4 quarter(F a) {
  return _mm512_extractf32x4_ps(a, kLane);
}
inline F4 sum_quarters(F a) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

}  // namespace
}  // namespace kernels::simd
