#include "kernels/cuda/cache.cuh"
#include "kernels/cuda/judgement.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/prefill_attention.hpp"

namespace kernels::cuda {

namespace {

template <typename T>
__device__ void store_row(T* to, const float* from, int dim) {
  for (int d = static_cast<int>(threadIdx.x); d < padded_head_dim(dim); d += kHeadThreads) {
    to[d] = from_float<T>(d < dim ? from[d] : 0.0f);
  }
}

// With lag 1 the chunk's first logit judges the last cached token, and the chunk's queries must know. One
// thread.
__device__ void mark_last_cached(const PrefillArgs& args, int kv_head) {
  const CacheView& cache = args.cache;
  const std::int64_t head = head_index(cache, args.sequence_slot, args.layer, kv_head);
  std::int32_t& entry = *ring_entry(cache, head, args.first_position - 1);
  entry |= 1;
  *last_query_of(cache, head, slot_of(entry)) = leaves_at(cache, args.first_position - 1);
}

// One block per (token, KV head).
template <typename T, int kDim>
__global__ void __launch_bounds__(kHeadThreads) finish_heads_kernel(const PrefillArgs args) {
  __shared__ FinishedHeads<kMaxGroup, kDim> heads;
  const int row = static_cast<int>(blockIdx.x);
  const int kv_head = static_cast<int>(blockIdx.y);
  const HeadsInput& input = args.heads;
  const int dim = input.head_dim;
  const std::int32_t position = args.first_position + row;
  finish_heads(input, row, kv_head, position, heads);

  const std::int64_t stride = padded_head_dim(dim);
  const int group = input.query_heads / input.kv_heads;
  for (int head = 0; head < group; ++head) {
    const std::int64_t index = static_cast<std::int64_t>(row) * input.query_heads + kv_head * group + head;
    store_row(static_cast<T*>(args.q) + index * stride, heads.q[head], dim);
  }
  const std::int64_t index = static_cast<std::int64_t>(row) * input.kv_heads + kv_head;
  store_row(static_cast<T*>(args.k) + index * stride, heads.k, dim);
  store_row(static_cast<T*>(args.v) + index * stride, input.v + row * input.kv_stride + kv_head * dim, dim);

  if (threadIdx.x != 0) return;
  const Decision decision = judge(input.gate, heads, position);
  report(args.decisions, kv_head, row, decision);
  const bool judges_cached = input.gate.lag == 1 && row == 0 && position > 0 && args.cache.ring_size > 0;
  if (judges_cached && decision.marked) mark_last_cached(args, kv_head);
}

template <typename T>
void launch_type(const PrefillArgs& args, StreamHandle stream) {
  const LaunchShape shape{
      {static_cast<unsigned>(args.heads.rows), static_cast<unsigned>(args.heads.kv_heads)}, kHeadThreads};
  if (args.heads.head_dim <= 128) return launch(finish_heads_kernel<T, 128>, shape, stream, args);
  launch(finish_heads_kernel<T, kMaxHeadDim>, shape, stream, args);
}

}  // namespace

void launch_finish_heads(const PrefillArgs& args, StreamHandle stream) {
  if (args.heads.rows == 0) return;
  check_heads(args.heads);
  with_element(args.cache.dtype, [&](auto element) { launch_type<decltype(element)>(args, stream); });
}

}  // namespace kernels::cuda
