// What kernels do to a cache: find a slot's row, read the ring, take a page.
#pragma once

#include "kernels/cuda/cache_view.hpp"
#include "kernels/cuda/device.cuh"

namespace kernels::cuda {

__device__ inline std::int64_t head_index(const CacheView& cache, int sequence_slot, int layer, int kv_head) {
  return (static_cast<std::int64_t>(sequence_slot) * cache.layers + layer) * cache.kv_heads + kv_head;
}

__device__ inline const std::int32_t* page_table_of(const CacheView& cache, std::int64_t head) {
  return cache.page_table + head * cache.max_pages;
}

// First element of a page's keys; its values follow kPageSlots rows later.
template <typename T>
__device__ inline T* page_rows(const CacheView& cache, std::int32_t page) {
  return reinterpret_cast<T*>(cache.pages + page * static_cast<std::int64_t>(page_bytes(cache.head_dim)));
}

// --- ring entries

__device__ inline bool is_marked(std::int32_t entry) {
  return entry >= 0 && (entry & 1) != 0;
}
__device__ inline std::int32_t slot_of(std::int32_t entry) {
  return entry >> 1;
}
__device__ inline std::int32_t entry_of(std::int32_t slot, bool marked) {
  return slot * 2 + (marked ? 1 : 0);
}

__device__ inline std::int32_t* ring_entry(const CacheView& cache, std::int64_t head, std::int32_t position) {
  return cache.ring + head * cache.ring_size + position % cache.ring_size;
}

// The last position whose query sees a marked token.
__device__ inline std::int32_t leaves_at(const CacheView& cache, std::int32_t position) {
  return position > kEveryQuery - cache.window ? kEveryQuery : position + cache.window;
}

// The page that a slot lies in; the scratch page where the table is too short for it, which counts as a
// failure.
__device__ inline std::int32_t page_of(const CacheView& cache, std::int64_t head, std::int32_t slot) {
  const std::int32_t index = slot / kPageSlots;
  return index < cache.max_pages ? page_table_of(cache, head)[index] : kScratchPage;
}

// Of a slot whose page is known.
__device__ inline std::int32_t* last_query_in(const CacheView& cache, std::int32_t page, std::int32_t slot) {
  return cache.last_query + static_cast<std::int64_t>(page) * kPageSlots + slot % kPageSlots;
}
__device__ inline std::int32_t* last_query_of(const CacheView& cache, std::int64_t head, std::int32_t slot) {
  return last_query_in(cache, page_of(cache, head, slot), slot);
}

// One thread's page. Pages go to heads in no particular order; nothing that is computed depends on it.
__device__ inline std::int32_t take_page(const CacheView& cache) {
  const std::int32_t left = atomicAdd(cache.free_count, -1) - 1;
  if (left >= 0) return cache.free_pages[left];
  atomicAdd(cache.free_count, 1);
  atomicAdd(cache.failures, 1);
  return kScratchPage;
}

// Makes sure that `slot`, the next of its head, has a page. Called for every new slot in order.
__device__ inline void provide_page(const CacheView& cache, std::int64_t head, std::int32_t slot) {
  if (slot % kPageSlots != 0) return;
  if (slot / kPageSlots >= cache.max_pages) {
    atomicAdd(cache.failures, 1);
    return;
  }
  cache.page_table[head * cache.max_pages + slot / kPageSlots] = take_page(cache);
}

}  // namespace kernels::cuda
