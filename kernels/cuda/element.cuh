// The 16-bit element types of weights, caches and tensor cores: bits, and conversions to and from float32.
#pragma once

#include <cuda_runtime.h>
#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

#include <cstdint>
#include <stdexcept>

#include "kernels/tensor.hpp"

namespace kernels::cuda {

struct Bf16 {
  std::uint16_t bits;
};
struct Half {
  std::uint16_t bits;
};

__device__ inline float to_float(float value) {
  return value;
}

__device__ inline float to_float(Bf16 value) {
  return __uint_as_float(static_cast<unsigned>(value.bits) << 16);
}

__device__ inline float to_float(Half value) {
#ifdef __CUDACC__
  return __half2float(__ushort_as_half(value.bits));
#else
  return half_to_float(value.bits);
#endif
}

template <typename T>
__device__ T from_float(float value);

template <>
__device__ inline float from_float<float>(float value) {
  return value;
}

template <>
__device__ inline Bf16 from_float<Bf16>(float value) {
#ifdef __CUDACC__
  return {__bfloat16_as_ushort(__float2bfloat16_rn(value))};
#else
  return {float_to_bf16(value)};
#endif
}

// Saturates: a finite activation must not become infinite. NaN stays NaN.
template <>
__device__ inline Half from_float<Half>(float value) {
  constexpr float kLargest = 65504.0f;
  const float bounded = value > kLargest ? kLargest : value < -kLargest ? -kLargest : value;
#ifdef __CUDACC__
  return {__half_as_ushort(__float2half_rn(bounded))};
#else
  return {cuda_emulation::float_to_half(bounded)};
#endif
}

// Two neighbouring elements as they lie in a 32-bit word, the first in the low half.
template <typename T>
__device__ inline float low_float(unsigned word) {
  return to_float(T{static_cast<std::uint16_t>(word & 0xffffu)});
}
template <typename T>
__device__ inline float high_float(unsigned word) {
  return to_float(T{static_cast<std::uint16_t>(word >> 16)});
}
template <>
__device__ inline float high_float<Bf16>(unsigned word) {
  return __uint_as_float(word & 0xffff0000u);
}
template <typename T>
__device__ inline unsigned pack(float low, float high) {
  return static_cast<unsigned>(from_float<T>(low).bits) |
         (static_cast<unsigned>(from_float<T>(high).bits) << 16);
}

// Eight neighbouring elements of a 16-byte word.
template <typename T>
__device__ inline void unpack(const uint4& words, float (&values)[8]) {
  const unsigned parts[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    values[2 * i] = low_float<T>(parts[i]);
    values[2 * i + 1] = high_float<T>(parts[i]);
  }
}

// Calls `run` with a value of the element type that `dtype` names.
template <typename Run>
void with_element(DType dtype, const Run& run) {
  if (dtype == DType::bf16) return run(Bf16{});
  if (dtype == DType::f16) return run(Half{});
  throw std::invalid_argument("CUDA kernels take bf16 or f16 here, not f32");
}

}  // namespace kernels::cuda
