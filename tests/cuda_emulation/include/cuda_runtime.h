// CUDA C++ for a host compiler: the qualifiers, built-in variables, vector types and intrinsics that the project's
// kernels use, and launches, on top of ../block.hpp.
#pragma once

#include <cuda_runtime_api.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <tuple>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)
// Blocks run one after the other, so one object serves them all.
#define __shared__ static

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

#include "tests/cuda_emulation/block.hpp"

// The running thread's. Written by the scheduler whenever a thread goes on.
inline uint3& threadIdx = cuda_emulation::current.thread;
inline uint3& blockIdx = cuda_emulation::current.block;
inline dim3& blockDim = cuda_emulation::current.block_size;
inline dim3& gridDim = cuda_emulation::current.grid_size;

inline void __syncthreads() { cuda_emulation::sync_block(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { cuda_emulation::sync_warp(mask); }
inline void __threadfence() {}

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
  return cuda_emulation::shuffle(mask, value, cuda_emulation::lane() ^ lanes);
}
template <typename T>
T __shfl_sync(unsigned mask, T value, int from) {
  return cuda_emulation::shuffle(mask, value, from & 31);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, int lanes) {
  const int from = cuda_emulation::lane() + lanes;
  return cuda_emulation::shuffle(mask, value, from < 32 ? from : cuda_emulation::lane());
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, int lanes) {
  const int from = cuda_emulation::lane() - lanes;
  return cuda_emulation::shuffle(mask, value, from >= 0 ? from : cuda_emulation::lane());
}
inline unsigned __ballot_sync(unsigned mask, int predicate) { return cuda_emulation::ballot(mask, predicate != 0); }
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == 0xffffffffu; }

template <typename T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return std::exchange(*address, *address + value);
}
template <typename T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return std::exchange(*address, *address > value ? *address : value);
}

inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline float __int_as_float(int bits) { return std::bit_cast<float>(bits); }
inline int __popc(unsigned bits) { return std::popcount(bits); }
inline int __ffs(int bits) { return bits == 0 ? 0 : std::countr_zero(static_cast<unsigned>(bits)) + 1; }
inline float __expf(float value) { return std::exp(value); }
inline float rsqrtf(float value) { return 1.0f / std::sqrt(value); }
inline float __fdividef(float a, float b) { return a / b; }
using std::isnan;

struct cudaLaunchAttributeValue {
  int programmaticStreamSerializationAllowed;
};
enum cudaLaunchAttributeID { cudaLaunchAttributeProgrammaticStreamSerialization = 6 };
struct cudaLaunchAttribute {
  cudaLaunchAttributeID id;
  cudaLaunchAttributeValue val;
};
struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  std::size_t dynamicSmemBytes;
  cudaStream_t stream;
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  // Arguments are copied at the launch, as on a device.
  std::tuple<std::remove_cv_t<Parameters>...> copies(std::forward<Arguments>(arguments)...);
  return cuda_emulation::launch(
      reinterpret_cast<const void*>(kernel), config->gridDim, config->blockDim, config->dynamicSmemBytes,
      config->stream,
      [kernel, copies] { std::apply(kernel, copies); });
}
