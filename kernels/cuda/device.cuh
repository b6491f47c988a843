// What kernels are made of besides plain C++: reductions, tensor cores, asynchronous copies, dependent
// launches.
//
// Everything here has one meaning on a device and in the emulation; the few primitives that are not C++ come
// from PTX on the one and from the emulation's cuda_runtime.h on the other. All threads of a warp take part
// in every warp-wide operation.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/element.cuh"

namespace kernels::cuda {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;

// Dynamic shared memory, 16-byte aligned.
template <typename T>
__device__ inline T* dynamic_shared() {
#ifdef __CUDACC__
  extern __shared__ uint4 dynamic_shared_memory[];
  return reinterpret_cast<T*>(dynamic_shared_memory);
#else
  return reinterpret_cast<T*>(cuda_emulation::dynamic_shared_memory());
#endif
}

__device__ inline int lane_index() {
  return static_cast<int>(threadIdx.x) % kWarp;
}
__device__ inline int warp_index() {
  return static_cast<int>(threadIdx.x) / kWarp;
}

// --- reductions; every thread gets the result

__device__ inline float warp_sum(float value) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

__device__ inline float warp_max(float value) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, step));
  }
  return value;
}

// Sum over a block of up to 32 warps. `scratch` is shared, one float per warp.
__device__ inline float block_sum(float value, float* scratch) {
  value = warp_sum(value);
  if (lane_index() == 0) scratch[warp_index()] = value;
  __syncthreads();
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  const float total = warp_sum(lane_index() < warps ? scratch[lane_index()] : 0.0f);
  __syncthreads();  // scratch may be used again
  return total;
}

// --- loads that pass the caches by, for what is read once: weights

// Not ld.global.nc: nothing orders such a load, and ptxas moves it behind a wait_for_predecessor() that it
// stands before.
__device__ inline uint4 load_streaming(const uint4* from) {
#ifdef __CUDACC__
  uint4 value;
  asm volatile("ld.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "l"(from));
  return value;
#else
  return *from;
#endif
}

// Asks for the 128 bytes around `from` to come into the level-2 cache; changes nothing else.
__device__ inline void prefetch(const void* from) {
#ifdef __CUDACC__
  asm volatile("prefetch.global.L2 [%0];" ::"l"(from));
#else
  static_cast<void>(from);
#endif
}

// --- blocks of one launch that hand work to each other

// What another block of the same launch has written: from the level-2 cache, where it certainly is.
template <typename T>
__device__ inline T load_from_other_block(const T* from) {
#ifdef __CUDACC__
  return __ldcg(from);
#else
  return *from;
#endif
}

// Counts an arrival and tells how many came before. One thread, between two barriers of its block: all that
// the blocks before had read and written when they arrived has then happened for this one.
__device__ inline std::int32_t count_arrival(std::int32_t* counter) {
#ifdef __CUDACC__
  std::int32_t before;
  asm volatile("atom.acq_rel.gpu.global.add.s32 %0, [%1], 1;" : "=r"(before) : "l"(counter) : "memory");
  return before;
#else
  return atomicAdd(counter, 1);
#endif
}

// --- dependent launches (LaunchShape::pdl)

// Until here a kernel may read only what no kernel of the same stream writes: weights. Does nothing where the
// launch was an ordinary one.
__device__ inline void wait_for_predecessor() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// The successor may begin once every block has said so, or has ended. Said first of all: the successor's
// blocks take what room is left and ask for their weights, and wait for this launch to end all the same.
__device__ inline void let_successor_start() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

// --- asynchronous copies into shared memory

// 16 bytes; zeros if not `valid`, and `from` is not read.
__device__ inline void copy_16_async(void* shared, const void* from, bool valid) {
#ifdef __CUDACC__
  const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(bytes)
               : "memory");
#else
  cuda_emulation::copy_16_async(shared, from, valid);
#endif
}

__device__ inline void commit_copies() {
#ifdef __CUDACC__
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  cuda_emulation::commit_copies();
#endif
}

// Waits until at most `Pending` of this thread's groups are under way. Others see the data after a barrier.
template <int Pending>
__device__ inline void wait_for_copies() {
#ifdef __CUDACC__
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
#else
  cuda_emulation::wait_for_copies(Pending);
#endif
}

// --- tensor cores

// d += A * B, A is [16, 16], B is [16, 8], both of T in 32-bit words of two neighbours along the inner
// dimension; with g = lane / 4 and t = lane % 4 a lane holds
//   a[0] = A[g][2t, 2t+1]      a[1] = A[g + 8][2t, 2t+1]   a[2] = A[g][2t+8, 2t+9]   a[3] = A[g + 8][2t+8,
//   2t+9] b[0] = B[2t, 2t+1][g]      b[1] = B[2t+8, 2t+9][g] d[0], d[1] = D[g][2t, 2t+1] d[2], d[3] = D[g +
//   8][2t, 2t+1]
template <typename T>
__device__ inline void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]);

#ifdef __CUDACC__
template <>
__device__ inline void mma<Bf16>(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
template <>
__device__ inline void mma<Half>(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#else
template <typename T>
inline void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  cuda_emulation::mma(
      d, a, b, [](unsigned word, int half) { return half == 0 ? low_float<T>(word) : high_float<T>(word); });
}
#endif

// Four 8 x 8 tiles from shared memory for B, where an inner dimension's neighbours lie in different rows:
// lane 8 i + r names row r of tile i (8 elements, 16-byte aligned), and to[i] becomes tile i's [2t, 2t+1][g].
__device__ inline void load_transposed(unsigned (&to)[4], const void* row) {
#ifdef __CUDACC__
  const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
#else
  const int g = lane_index() / 4;
  const int t = lane_index() % 4;
  for (int i = 0; i < 4; ++i) {
    const auto* first = static_cast<const std::uint16_t*>(__shfl_sync(kAllLanes, row, 8 * i + 2 * t));
    const auto* second = static_cast<const std::uint16_t*>(__shfl_sync(kAllLanes, row, 8 * i + 2 * t + 1));
    to[i] = first[g] | static_cast<unsigned>(second[g]) << 16;
  }
#endif
}

// Order of the inner dimension. A product does not care in which order its terms are added, as long as A and
// B agree; so lane t may take its 8 (or 4) elements from consecutive addresses, one 16-byte (8-byte) load,
// instead of from the places that the layout above names. These split such a load into the operands of a
// k-step.

// Words [2 * step, 2 * step + 1] of a 16-byte load: elements 8t + 4 * step .. + 3 of 32.
__device__ inline unsigned first_word(const uint4& words, int step) {
  return step == 0 ? words.x : words.z;
}
__device__ inline unsigned second_word(const uint4& words, int step) {
  return step == 0 ? words.y : words.w;
}

}  // namespace kernels::cuda
