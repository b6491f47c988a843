// Four float32 lanes as GCC and Clang's generic vectors: SSE2 on baseline x86-64, NEON on ARM, whatever there
// is elsewhere. The functions named here are all that the kernels know of an instruction set; vector_avx2.hpp
// and vector_avx512.hpp provide the same with more lanes. A unit includes exactly one of them.
#pragma once

#include <cstdint>

#include "kernels/cpu/simd/index.hpp"

namespace kernels::simd {
namespace {

using F = float __attribute__((vector_size(16)));
using I = std::int32_t __attribute__((vector_size(16)));
constexpr int kWidth = 4;
constexpr int kTileRows = 4;      // weight rows of a register tile; a multiple of 4
constexpr int kPanelVectors = 2;  // vectors of tokens of a register tile
constexpr int kSlotHeads = 2;     // query heads that share a load in attend_slots

inline F zero() {
  return F{};
}
inline F set1(float value) {
  return F{value, value, value, value};
}
inline I set1_int(std::int32_t value) {
  return I{value, value, value, value};
}
inline F load(const float* p) {
  F value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}
inline void store(float* p, F value) {
  __builtin_memcpy(p, &value, sizeof value);
}
inline F add(F a, F b) {
  return a + b;
}
inline F sub(F a, F b) {
  return a - b;
}
inline F mul(F a, F b) {
  return a * b;
}
inline F div(F a, F b) {
  return a / b;
}
inline F fma(F a, F b, F c) {
  return a * b + c;
}
// As x86's: the second operand where one is NaN.
inline F max(F a, F b) {
  return a > b ? a : b;
}
inline F min(F a, F b) {
  return a < b ? a : b;
}
inline float sum(F a) {
  return (a[0] + a[2]) + (a[1] + a[3]);
}
inline bool all_equal(F a, F b) {
  const I equal = a == b;
  return (equal[0] & equal[1] & equal[2] & equal[3]) != 0;
}

// The first `count` (less than kWidth) elements; the other lanes are zero and the memory behind them is not
// read.
inline F load_first(const float* p, Index count) {
  F value{};
  __builtin_memcpy(&value, p, static_cast<unsigned long>(count) * sizeof(float));
  return value;
}
inline void store_first(float* p, F value, Index count) {
  __builtin_memcpy(p, &value, static_cast<unsigned long>(count) * sizeof(float));
}

// 16-bit elements widened; the address may be odd.
inline F load_first_bf16(const void* p, Index count) {
  std::uint16_t halves[kWidth] = {};
  __builtin_memcpy(halves, p, static_cast<unsigned long>(count) * sizeof(std::uint16_t));
  const I bits{halves[0] << 16, halves[1] << 16, halves[2] << 16, halves[3] << 16};
  return reinterpret_cast<F>(bits);
}
inline F load_bf16(const void* p) {
  return load_first_bf16(p, kWidth);
}
// Without a conversion instruction: the exponent is rebiased by a multiplication, which also normalises
// subnormals; infinity and NaN get the highest exponent.
inline F load_first_f16(const void* p, Index count) {
  std::uint16_t halves[kWidth] = {};
  __builtin_memcpy(halves, p, static_cast<unsigned long>(count) * sizeof(std::uint16_t));
  const I bits{halves[0], halves[1], halves[2], halves[3]};
  const I magnitude = (bits & 0x7fff) << 13;
  const I rebiased = reinterpret_cast<I>(reinterpret_cast<F>(magnitude) * 0x1p112f);
  const I special = (bits & 0x7c00) == 0x7c00;
  return reinterpret_cast<F>(rebiased | (special & 0x7f800000) | ((bits & 0x8000) << 16));
}
inline F load_f16(const void* p) {
  return load_first_f16(p, kWidth);
}

// a * 2^n, where `magic` is n + 1.5 * 2^23 as a float: its low bits are n. n is in [-127, 127]; -127 gives 0.
inline F times_power_of_two(F a, F magic) {
  return a * reinterpret_cast<F>((reinterpret_cast<I>(magic) + 127) << 23);
}

// `value` in the lanes whose query sees the key (key <= query <= last), `otherwise` in the others.
inline F where_visible(F value, F otherwise, const std::int32_t* query, std::int32_t key, std::int32_t last) {
  I at;
  __builtin_memcpy(&at, query, sizeof at);
  return ((set1_int(key) <= at) & (at <= set1_int(last))) != 0 ? value : otherwise;
}

// Four elements from rows[0], rows[4], ...: with rows[1..], rows[2..], rows[3..] and a transpose4, lane t of
// the i-th vector is element i of row t.
inline F gather4(const float* const* rows, Index offset) {
  return load(rows[0] + offset);
}

// Transposes each quarter (four lanes) of four vectors as a 4 x 4 matrix.
inline void transpose4(F& a, F& b, F& c, F& d) {
  const F ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const F ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const F cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const F cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

// Quarters of a vector.
using F4 = F;
inline F4 load4(const float* p) {
  return load(p);
}
inline void store4(float* p, F4 value) {
  store(p, value);
}
inline F4 add4(F4 a, F4 b) {
  return a + b;
}
inline F4 mul4(F4 a, F4 b) {
  return a * b;
}
inline F4 set1_4(float value) {
  return set1(value);
}
template <int kLane>
inline F4 quarter(F a) {
  return a;
}
inline F4 sum_quarters(F a) {
  return a;
}

}  // namespace
}  // namespace kernels::simd
