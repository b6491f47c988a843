#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/prefill.cuh"

namespace kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;

// How many threads before this one, and how many of the block, say yes. The whole block.
struct Count {
  int before, total;
};

__device__ Count count_yes(bool yes, int* scratch) {
  const unsigned votes = __ballot_sync(kAllLanes, yes ? 1 : 0);
  const int lane = lane_index();
  if (lane == 0) scratch[warp_index()] = __popc(votes);
  __syncthreads();
  Count count{__popc(votes & ((1u << lane) - 1u)), 0};
  for (int warp = 0; warp < kWarps; ++warp) {
    if (warp < warp_index()) count.before += scratch[warp];
    count.total += scratch[warp];
  }
  __syncthreads();
  return count;
}

// Slots for the chunk's tokens, in their order. The tokens that leave as up to window + 1 consecutive ones
// arrive were all there before: so that many can be settled at once. One block per KV head.
__global__ void __launch_bounds__(kThreads) commit_slots_kernel(const PrefillArgs args) {
  __shared__ int scratch[kWarps];
  const CacheView& cache = args.cache;
  const int kv_head = static_cast<int>(blockIdx.x);
  const std::int64_t head = head_index(cache, args.sequence_slot, args.layer, kv_head);
  const int rows = args.heads.rows;
  const int round = cache.ring_size > 0 && cache.ring_size < kThreads ? cache.ring_size : kThreads;
  std::int32_t live = cache.live[head];
  for (int first = 0; first < rows; first += round) {
    const int i = first + static_cast<int>(threadIdx.x);
    const bool mine = static_cast<int>(threadIdx.x) < round && i < rows;
    const std::int32_t position = args.first_position + i;
    std::int32_t leaving = kNoToken;
    if (mine && cache.ring_size > 0) leaving = *ring_entry(cache, head, position);
    const bool appends = mine && !is_marked(leaving);
    const Count appended = count_yes(appends, scratch);
    if (mine) {
      const std::int32_t slot = appends ? live + appended.before : slot_of(leaving);
      if (appends) provide_page(cache, head, slot);
      if (cache.ring_size > 0)
        *ring_entry(cache, head, position) = entry_of(slot, marks_own(args, kv_head, i));
      args.slots[static_cast<std::int64_t>(kv_head) * rows + i] = slot;
      args.decisions.live_at[kv_head * args.decisions.stride + i] =
          live + appended.before + (appends ? 1 : 0);
    }
    live += appended.total;
    __syncthreads();  // the next round reads the ring
  }
  if (threadIdx.x == 0) cache.live[head] = live;
}

// Keys and values of what is left of the chunk at its end. One warp per (token, KV head).
template <typename T>
__global__ void store_kernel(const PrefillArgs args) {
  const CacheView& cache = args.cache;
  const int i = static_cast<int>(blockIdx.x);
  const int kv_head = static_cast<int>(blockIdx.y);
  const bool marked = marks_own(args, kv_head, i);
  if (marked && static_cast<std::int64_t>(i) + cache.window + 1 < args.heads.rows)
    return;  // replaced within the chunk
  const std::int64_t head = head_index(cache, args.sequence_slot, args.layer, kv_head);
  const std::int32_t slot = args.slots[static_cast<std::int64_t>(kv_head) * args.heads.rows + i];
  const int stride = padded_head_dim(cache.head_dim);
  const std::int64_t from = (static_cast<std::int64_t>(i) * args.heads.kv_heads + kv_head) * stride;
  T* key = page_rows<T>(cache, page_of(cache, head, slot)) + slot % kPageSlots * stride;
  for (int d = lane_index(); d < stride; d += kWarp) {
    key[d] = static_cast<const T*>(args.k)[from + d];
    key[kPageSlots * stride + d] = static_cast<const T*>(args.v)[from + d];
  }
  if (lane_index() == 0) *last_query_of(cache, head, slot) = own_last_query(args, kv_head, i);
}

}  // namespace

void launch_prefill_commit(const PrefillArgs& args, StreamHandle stream) {
  if (args.heads.rows == 0) return;
  const auto rows = static_cast<unsigned>(args.heads.rows);
  const auto kv_heads = static_cast<unsigned>(args.heads.kv_heads);
  launch(commit_slots_kernel, {kv_heads, kThreads}, stream, args);
  with_element(args.cache.dtype, [&](auto element) {
    launch(store_kernel<decltype(element)>, {{rows, kv_heads}, kWarp}, stream, args);
  });
}

}  // namespace kernels::cuda
