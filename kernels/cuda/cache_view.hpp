// The KV caches of all sequences as they lie on the device, for kernels and for whoever owns the memory.
//
// The rules are engine::HeadCache's, slot for slot. A *head* is one (sequence slot, layer, KV head) and has a
// cache of its own:
//   slots [0, live)  hold the visible tokens, without holes, not in the order of tokens;
//   the ring         knows, for each of the last window + 1 tokens, its slot and whether it is marked;
//   pages            of kPageSlots slots come from one free list and are found through the head's page table.
// Kernels change these arrays in stream order only. All arrays are owned by the caller.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/runtime.hpp"
#include "kernels/tensor.hpp"

namespace kernels::cuda {

// Slots of a page. Small, because a compressed head grows by a fraction of a slot per token: half a page is
// lost per head. 16 is also the height of a tile of the tensor cores, so that a page is one operand.
inline constexpr int kPageSlots = 16;

// Page 0 is never handed out: what a kernel must write somewhere although the free list was empty goes there.
inline constexpr std::int32_t kScratchPage = 0;

// Ring entries: -1 before any token, else slot * 2 + (1 if marked).
inline constexpr std::int32_t kNoToken = -1;

// last_query of a token that is not marked: every later query sees it.
inline constexpr std::int32_t kEveryQuery = 0x7fffffff;

// Elements of one key or value in a page: rows are 16-byte aligned and padded with zeros.
constexpr int padded_head_dim(int head_dim) {
  return (head_dim + 7) / 8 * 8;
}

// Bytes of a page: kPageSlots keys, then as many values.
constexpr std::size_t page_bytes(int head_dim) {
  return std::size_t{2} * kPageSlots * static_cast<std::size_t>(padded_head_dim(head_dim)) * 2;
}

struct CacheView {
  std::byte* pages = nullptr;          // [page_count][page_bytes]; bf16 or f16, as `dtype` says
  std::int32_t* last_query = nullptr;  // [page_count][kPageSlots] last position that sees the slot's token
  std::int32_t* page_table = nullptr;  // [heads][max_pages] page of each run of kPageSlots slots
  std::int32_t* live = nullptr;        // [heads]
  std::int32_t* ring = nullptr;        // [heads][ring_size]; not used where nothing is evicted
  // The free list: page ids, of which the first *free_count are free. Taken from the end.
  std::int32_t* free_pages = nullptr;  // [page_count]
  std::int32_t* free_count = nullptr;  // [1]
  // How often a page was wanted and there was none, or a page table was full: the cache is then worthless.
  // The owner of the memory admits no step that could get here.
  std::int32_t* failures = nullptr;  // [1]

  std::int32_t page_count = 0;
  std::int32_t sequence_slots = 0;  // sequences that fit
  std::int32_t layers = 0;
  std::int32_t kv_heads = 0;
  std::int32_t head_dim = 0;
  std::int32_t max_pages = 0;  // per head
  std::int32_t window = 0;     // steps a marked token stays visible
  std::int32_t ring_size = 0;  // window + 1, or 0 where nothing is ever evicted
  DType dtype = DType::bf16;   // bf16 or f16

  constexpr std::int64_t heads() const { return std::int64_t{sequence_slots} * layers * kv_heads; }
};

// Everything empty: page ids 1.. on the free list, no live slots. Once, before first use.
void launch_cache_reset(const CacheView& cache, StreamHandle stream);

// All pages of one sequence back to the free list; its heads empty, ready for another.
void launch_cache_release(const CacheView& cache, int sequence_slot, StreamHandle stream);

// The sequence in slot `to` (empty before) becomes a copy of the one in `from`, with pages of its own: it
// takes as many as `from` holds.
void launch_cache_fork(const CacheView& cache, int from, int to, StreamHandle stream);

}  // namespace kernels::cuda
