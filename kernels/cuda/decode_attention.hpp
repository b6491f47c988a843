// Attention of one new token of each of many sequences: judges, finishes queries and keys (norms, borrowed
// neuron, RoPE), attends, and lets the token enter the cache, all in one launch.
//
// The new token's slot follows from the head's state before the step (the ring entry of the token that leaves
// the window), so that every block of a head can tell it alone. Slots are split among blocks; the last block
// of a head to finish merges their results and only then changes the head's state, when nobody reads it any
// more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/cache_view.hpp"
#include "kernels/cuda/judgement.hpp"
#include "kernels/cuda/runtime.hpp"

namespace kernels::cuda {

struct DecodeAttentionArgs {
  HeadsInput heads;
  CacheView cache;
  int layer = 0;
  const std::int32_t* sequence_slots = nullptr;  // [rows]; -1: padding, touches no cache and gives zeros
  const std::int32_t* positions = nullptr;       // [rows] of the new tokens
  // Blocks per head, up to 64: an upper bound, because a short head uses fewer (none gets less than
  // kMinSplitSlots).
  int splits = 1;
  // decode_workspace_bytes of it or more, shared by all launches of a stream; zeroed once before first use.
  std::byte* workspace = nullptr;
  void* out = nullptr;           // [rows, out_stride] attended values, query_heads * head_dim of them
  DType out_dtype = DType::f32;  // f32, or the cache's
  std::int64_t out_stride = 0;
  DecisionsOutput decisions;
  // Dependent launch. Slots, positions, the tables of RoPE and this layer's caches are then read before the
  // wait: between whatever wrote them last and this launch the stream must hold a launch that is not a
  // dependent one. The projections are read after it.
  bool pdl = false;
};

// One page for each warp of a block: where there are few heads, less would gain nothing and more would leave
// multiprocessors idle.
inline constexpr int kMinSplitSlots = 64;

// Of a batch of at most `rows` rows and `splits` splits.
std::size_t decode_workspace_bytes(int rows, int query_heads, int kv_heads, int head_dim, int splits);

// Blocks of the kernel for such heads that the selected device, of so many multiprocessors, runs at a time.
// Throws CudaError.
int decode_blocks_at_once(int multiprocessors, DType dtype, int query_heads, int kv_heads, int head_dim);

// How many splits fill the device when `rows` sequences have up to `max_live` live slots per head.
int decode_splits(int blocks_at_once, int rows, int kv_heads, std::int64_t max_live);

void launch_decode_attention(const DecodeAttentionArgs& args, StreamHandle stream);

}  // namespace kernels::cuda
