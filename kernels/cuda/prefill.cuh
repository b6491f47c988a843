// What the launches of a prefill chunk know about its own tokens.
#pragma once

#include "kernels/cuda/cache.cuh"
#include "kernels/cuda/prefill_attention.hpp"

namespace kernels::cuda {

// Whether the chunk decides that its token `i` leaves. With lag 1 its last token is not decided yet.
__device__ inline bool marks_own(const PrefillArgs& args, int kv_head, int i) {
  const int column = i + args.heads.gate.lag;
  return args.cache.ring_size > 0 && column < args.heads.rows &&
         args.decisions.marked[kv_head * args.decisions.stride + column] != 0;
}

// The last position whose query sees the chunk's token `i`.
__device__ inline std::int32_t own_last_query(const PrefillArgs& args, int kv_head, int i) {
  return marks_own(args, kv_head, i) ? leaves_at(args.cache, args.first_position + i) : kEveryQuery;
}

}  // namespace kernels::cuda
