#include "kernels/cuda/memory_rate.hpp"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

constexpr unsigned kThreads = 512;
// Words of 16 bytes a thread has under way at once: enough blocks of these keep every memory channel busy.
constexpr int kAhead = 4;

__global__ void copy_kernel(uint4* to, const uint4* from, std::int64_t words) {
  const std::int64_t block = static_cast<std::int64_t>(blockIdx.x) * kThreads * kAhead;
  uint4 held[kAhead];
#pragma unroll
  for (int i = 0; i < kAhead; ++i) {
    const std::int64_t word = block + i * static_cast<std::int64_t>(kThreads) + threadIdx.x;
    if (word < words) held[i] = load_streaming(from + word);
  }
#pragma unroll
  for (int i = 0; i < kAhead; ++i) {
    const std::int64_t word = block + i * static_cast<std::int64_t>(kThreads) + threadIdx.x;
    if (word < words) to[word] = held[i];
  }
}

__global__ void read_kernel(const uint4* from, std::int64_t words, float* sink) {
  const std::int64_t block = static_cast<std::int64_t>(blockIdx.x) * kThreads * kAhead;
  unsigned mixed = 0;
#pragma unroll
  for (int i = 0; i < kAhead; ++i) {
    const std::int64_t word = block + i * static_cast<std::int64_t>(kThreads) + threadIdx.x;
    if (word < words) {
      const uint4 value = load_streaming(from + word);
      mixed ^= value.x ^ value.y ^ value.z ^ value.w;
    }
  }
  // Needed, so that the loads are; true once in four billion.
  if (mixed == 0x9e3779b9u) *sink = 1.0f;
}

// SplitMix64 (Steele, Lea, Flood 2014) of a counter.
__device__ std::uint64_t mix(std::uint64_t z) {
  z = (z + 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// The sum of four uniform 16-bit numbers, centred: near enough to normal for weights.
__device__ float roughly_normal(std::uint64_t bits) {
  float sum = 0;
  for (int i = 0; i < 4; ++i) sum += static_cast<float>((bits >> (16 * i)) & 0xffffu) * 0x1p-16f;
  constexpr float kDeviation = 0.57735027f;  // of a sum of four
  return (sum - 2.0f) / kDeviation;
}

template <typename T>
__global__ void random_kernel(T* to, std::int64_t count, float deviation, std::uint64_t seed) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count;
       i += step) {
    to[i] = from_float<T>(deviation * roughly_normal(mix(seed ^ mix(static_cast<std::uint64_t>(i)))));
  }
}

__global__ void to_bf16_kernel(Bf16* to, const float* from, std::int64_t count) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count;
       i += step) {
    to[i] = from_float<Bf16>(from[i]);
  }
}

// Grids that stride over their work need not be larger than this.
unsigned striding_blocks(std::int64_t count) {
  constexpr unsigned kMost = 4096;
  const unsigned wanted = blocks_for(count, kThreads);
  return wanted < kMost ? wanted : kMost;
}

template <typename T>
void fill(void* to, std::int64_t count, float deviation, std::uint64_t seed, StreamHandle stream) {
  launch(random_kernel<T>, {striding_blocks(count), kThreads}, stream, static_cast<T*>(to), count, deviation,
         seed);
}

}  // namespace

void launch_copy(void* to, const void* from, std::int64_t bytes, StreamHandle stream) {
  if (bytes == 0) return;
  const std::int64_t words = bytes / 16;
  launch(copy_kernel, {blocks_for(words, std::int64_t{kThreads} * kAhead), kThreads}, stream,
         static_cast<uint4*>(to), static_cast<const uint4*>(from), words);
}

void launch_read(const void* from, std::int64_t bytes, float* sink, StreamHandle stream) {
  if (bytes == 0) return;
  const std::int64_t words = bytes / 16;
  launch(read_kernel, {blocks_for(words, std::int64_t{kThreads} * kAhead), kThreads}, stream,
         static_cast<const uint4*>(from), words, sink);
}

void launch_fill_random(void* to, DType dtype, std::int64_t count, float deviation, std::uint64_t seed,
                        StreamHandle stream) {
  if (count == 0) return;
  if (dtype == DType::f32) return fill<float>(to, count, deviation, seed, stream);
  with_element(dtype, [&](auto element) { fill<decltype(element)>(to, count, deviation, seed, stream); });
}

void launch_to_bf16(void* to, const float* from, std::int64_t count, StreamHandle stream) {
  if (count == 0) return;
  launch(to_bf16_kernel, {striding_blocks(count), kThreads}, stream, static_cast<Bf16*>(to), from, count);
}

}  // namespace kernels::cuda
