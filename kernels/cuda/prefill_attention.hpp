// A chunk of consecutive tokens of one sequence, exactly as token by token: query s sees key t iff t <= s and
// (s - t <= window or t is not marked). Three launches per layer, in this order, on one stream:
//   launch_finish_heads       norms, borrowed neuron, RoPE, judgement; queries, keys, values in the cache's
//   type launch_prefill_attention  over the cache as it was before the chunk, and the chunk's own keys
//   launch_prefill_commit     the chunk's tokens enter the cache, slot for slot as decode would have them
// Any chunk length; a chunk of one is decode. Cached keys are all candidates: those that left are overwritten
// already, so there is nothing to skip but what leaves within the chunk.
#pragma once

#include <cstdint>

#include "kernels/cuda/cache_view.hpp"
#include "kernels/cuda/judgement.hpp"
#include "kernels/cuda/runtime.hpp"

namespace kernels::cuda {

// The chunk: `heads.rows` tokens from `first_position`. Pointers of `heads` and `decisions` are those of its
// first row.
struct PrefillArgs {
  HeadsInput heads;
  CacheView cache;
  int layer = 0;
  int sequence_slot = 0;
  std::int32_t first_position = 0;
  // Scratch in the cache's type, rows padded with zeros to padded_head_dim:
  void* q = nullptr;              // [rows, query_heads, padded_head_dim]
  void* k = nullptr;              // [rows, kv_heads, padded_head_dim]
  void* v = nullptr;              // [rows, kv_heads, padded_head_dim]
  std::int32_t* slots = nullptr;  // [kv_heads, rows] scratch
  void* out = nullptr;            // [rows, out_stride] attended values, query_heads * head_dim of them
  DType out_dtype = DType::bf16;  // f32, or the cache's
  std::int64_t out_stride = 0;
  DecisionsOutput decisions;  // marked must be there: later launches read it
};

void launch_finish_heads(const PrefillArgs& args, StreamHandle stream);
void launch_prefill_attention(const PrefillArgs& args, StreamHandle stream);
void launch_prefill_commit(const PrefillArgs& args, StreamHandle stream);

}  // namespace kernels::cuda
