// Eight float32 lanes: AVX2, FMA and F16C. See vector_portable.hpp for what each function means.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/cpu/simd/index.hpp"

namespace kernels::simd {
namespace {

using F = __m256;
constexpr int kWidth = 8;
constexpr int kTileRows = 4;
constexpr int kPanelVectors = 3;
constexpr int kSlotHeads = 2;

inline F zero() {
  return _mm256_setzero_ps();
}
inline F set1(float value) {
  return _mm256_set1_ps(value);
}
inline F load(const float* p) {
  return _mm256_loadu_ps(p);
}
inline void store(float* p, F value) {
  _mm256_storeu_ps(p, value);
}
inline F add(F a, F b) {
  return _mm256_add_ps(a, b);
}
inline F sub(F a, F b) {
  return _mm256_sub_ps(a, b);
}
inline F mul(F a, F b) {
  return _mm256_mul_ps(a, b);
}
inline F div(F a, F b) {
  return _mm256_div_ps(a, b);
}
inline F fma(F a, F b, F c) {
  return _mm256_fmadd_ps(a, b, c);
}
inline F max(F a, F b) {
  return _mm256_max_ps(a, b);
}
inline F min(F a, F b) {
  return _mm256_min_ps(a, b);
}
inline bool all_equal(F a, F b) {
  return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)) == 0xff;
}

inline __m256i first(Index count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
}
inline F load_first(const float* p, Index count) {
  return _mm256_maskload_ps(p, first(count));
}
inline void store_first(float* p, F value, Index count) {
  _mm256_maskstore_ps(p, first(count), value);
}

inline F widen_bf16(__m128i bits) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
inline __m128i load_halves(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
inline __m128i load_first_halves(const void* p, Index count) {
  alignas(16) std::uint16_t halves[8] = {};
  __builtin_memcpy(halves, p, static_cast<unsigned long>(count) * sizeof(std::uint16_t));
  return _mm_load_si128(reinterpret_cast<const __m128i*>(halves));
}
inline F load_bf16(const void* p) {
  return widen_bf16(load_halves(p));
}
inline F load_first_bf16(const void* p, Index count) {
  return widen_bf16(load_first_halves(p, count));
}
inline F load_f16(const void* p) {
  return _mm256_cvtph_ps(load_halves(p));
}
inline F load_first_f16(const void* p, Index count) {
  return _mm256_cvtph_ps(load_first_halves(p, count));
}

inline F times_power_of_two(F a, F magic) {
  const __m256i exponent =
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_castps_si256(magic), _mm256_set1_epi32(127)), 23);
  return _mm256_mul_ps(a, _mm256_castsi256_ps(exponent));
}

inline F where_visible(F value, F otherwise, const std::int32_t* query, std::int32_t key, std::int32_t last) {
  const __m256i at = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query));
  const __m256i hidden = _mm256_or_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(key), at),
                                         _mm256_cmpgt_epi32(at, _mm256_set1_epi32(last)));
  return _mm256_blendv_ps(value, otherwise, _mm256_castsi256_ps(hidden));
}

inline F gather4(const float* const* rows, Index offset) {
  const __m128 low = _mm_loadu_ps(rows[0] + offset);
  return _mm256_insertf128_ps(_mm256_castps128_ps256(low), _mm_loadu_ps(rows[4] + offset), 1);
}

inline void transpose4(F& a, F& b, F& c, F& d) {
  const F ab_low = _mm256_unpacklo_ps(a, b);
  const F ab_high = _mm256_unpackhi_ps(a, b);
  const F cd_low = _mm256_unpacklo_ps(c, d);
  const F cd_high = _mm256_unpackhi_ps(c, d);
  a = _mm256_shuffle_ps(ab_low, cd_low, 0x44);
  b = _mm256_shuffle_ps(ab_low, cd_low, 0xee);
  c = _mm256_shuffle_ps(ab_high, cd_high, 0x44);
  d = _mm256_shuffle_ps(ab_high, cd_high, 0xee);
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
  return _mm256_extractf128_ps(a, kLane);
}
inline F4 sum_quarters(F a) {
  return _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
}
inline float sum(F a) {
  const F4 quarters = sum_quarters(a);
  const F4 pairs = _mm_add_ps(quarters, _mm_movehl_ps(quarters, quarters));
  return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)));
}

}  // namespace
}  // namespace kernels::simd
