#include "kernels/cuda/cache.cuh"

#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

constexpr unsigned kThreads = 256;

__device__ std::int64_t first_index() {
  return static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}
__device__ std::int64_t index_step() {
  return static_cast<std::int64_t>(gridDim.x) * kThreads;
}

__global__ void reset_kernel(const CacheView cache) {
  for (std::int64_t i = first_index(); i < cache.heads(); i += index_step()) cache.live[i] = 0;
  for (std::int64_t i = first_index(); i < cache.heads() * cache.ring_size; i += index_step()) {
    cache.ring[i] = kNoToken;
  }
  for (std::int64_t i = first_index(); i < cache.heads() * cache.max_pages; i += index_step()) {
    cache.page_table[i] = kScratchPage;
  }
  // Taken from the end: pages in the order of their ids first.
  for (std::int64_t i = first_index(); i + 1 < cache.page_count; i += index_step()) {
    cache.free_pages[i] = cache.page_count - 1 - static_cast<std::int32_t>(i);
  }
  if (first_index() == 0) {
    *cache.free_count = cache.page_count - 1;
    *cache.failures = 0;
  }
}

// One block per head of the sequence.
__global__ void release_kernel(const CacheView cache, int sequence_slot) {
  const std::int64_t head =
      static_cast<std::int64_t>(sequence_slot) * cache.layers * cache.kv_heads + blockIdx.x;
  const int pages = (cache.live[head] + kPageSlots - 1) / kPageSlots;
  __shared__ std::int32_t first;
  if (threadIdx.x == 0) first = atomicAdd(cache.free_count, pages);
  __syncthreads();
  std::int32_t* table = cache.page_table + head * cache.max_pages;
  for (int i = static_cast<int>(threadIdx.x); i < pages; i += static_cast<int>(kThreads)) {
    cache.free_pages[first + i] = table[i];
    table[i] = kScratchPage;
  }
  for (int i = static_cast<int>(threadIdx.x); i < cache.ring_size; i += static_cast<int>(kThreads)) {
    cache.ring[head * cache.ring_size + i] = kNoToken;
  }
  __syncthreads();
  if (threadIdx.x == 0) cache.live[head] = 0;
}

// The rows that hold something: `used` keys and as many values.
__device__ void copy_page(const CacheView& cache, std::int32_t from, std::int32_t to, int used) {
  const int row_words = padded_head_dim(cache.head_dim) / 8;
  const uint4* source = page_rows<uint4>(cache, from);
  uint4* target = page_rows<uint4>(cache, to);
  for (int i = static_cast<int>(threadIdx.x); i < used * row_words; i += static_cast<int>(kThreads)) {
    target[i] = source[i];
    target[kPageSlots * row_words + i] = source[kPageSlots * row_words + i];
  }
  if (cache.ring_size > 0 && static_cast<int>(threadIdx.x) < used) {
    cache.last_query[static_cast<std::int64_t>(to) * kPageSlots + threadIdx.x] =
        cache.last_query[static_cast<std::int64_t>(from) * kPageSlots + threadIdx.x];
  }
}

// One block per head of the sequence.
__global__ void fork_kernel(const CacheView cache, int from_sequence, int to_sequence) {
  const std::int64_t heads = static_cast<std::int64_t>(cache.layers) * cache.kv_heads;
  const std::int64_t from = from_sequence * heads + blockIdx.x;
  const std::int64_t to = to_sequence * heads + blockIdx.x;
  const int pages = (cache.live[from] + kPageSlots - 1) / kPageSlots;
  __shared__ std::int32_t page;
  for (int i = 0; i < pages; ++i) {
    if (threadIdx.x == 0) {
      page = take_page(cache);
      cache.page_table[to * cache.max_pages + i] = page;
    }
    __syncthreads();
    const int left = cache.live[from] - i * kPageSlots;
    copy_page(cache, cache.page_table[from * cache.max_pages + i], page,
              left < kPageSlots ? left : kPageSlots);
    __syncthreads();
  }
  for (int i = static_cast<int>(threadIdx.x); i < cache.ring_size; i += static_cast<int>(kThreads)) {
    cache.ring[to * cache.ring_size + i] = cache.ring[from * cache.ring_size + i];
  }
  if (threadIdx.x == 0) cache.live[to] = cache.live[from];
}

unsigned heads_of_a_sequence(const CacheView& cache) {
  return static_cast<unsigned>(cache.layers * cache.kv_heads);
}

}  // namespace

void launch_cache_reset(const CacheView& cache, StreamHandle stream) {
  constexpr unsigned kBlocks = 512;  // strides over tables of any size
  launch(reset_kernel, {kBlocks, kThreads}, stream, cache);
}

void launch_cache_release(const CacheView& cache, int sequence_slot, StreamHandle stream) {
  launch(release_kernel, {heads_of_a_sequence(cache), kThreads}, stream, cache, sequence_slot);
}

void launch_cache_fork(const CacheView& cache, int from, int to, StreamHandle stream) {
  launch(fork_kernel, {heads_of_a_sequence(cache), kThreads}, stream, cache, from, to);
}

}  // namespace kernels::cuda
