// The CPU operations of a transformer layer, as one table of functions per instruction set.
//
// Activations are float32 with row strides in elements. Weights are used as they lie in the checkpoint
// (row-major [out, in]; f32, f16 or bf16; any alignment). Accumulation is float32. An operation that takes a
// Part does its share of the whole and synchronises with nobody: the caller runs it inside ThreadPool::run,
// whose end is the barrier. Shares of one region must all get the same arguments, and a region holds one such
// operation at most, because it takes its pieces of work from the region's counter.
//
// `reference_ops` is the plain float32 path that everything else is tested against.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/tensor.hpp"

namespace kernels {

// out[m, n] = sum_k x[m, k] * w[n, k] (+ bias[n]) (+ out[m, n] if accumulate)
struct MatmulArgs {
  const float* x = nullptr;  // [m, w.cols], row stride x_stride
  std::int64_t x_stride = 0;
  std::int64_t m = 0;
  Matrix w;
  const float* bias = nullptr;  // [w.rows] or null
  float* out = nullptr;         // [m, w.rows], row stride out_stride
  std::int64_t out_stride = 0;
  bool accumulate = false;
};

// out[m, n] = silu(x · gate^T) * (x · up^T): the gated half of a Llama MLP. silu(a) = a / (1 + exp(-a)).
struct GatedMatmulArgs {
  const float* x = nullptr;  // [m, gate.cols]
  std::int64_t x_stride = 0;
  std::int64_t m = 0;
  Matrix gate;
  Matrix up;  // same shape and dtype as gate
  const float* gate_bias = nullptr;
  const float* up_bias = nullptr;
  float* out = nullptr;  // [m, gate.rows]
  std::int64_t out_stride = 0;
};

// out[r, c] = x[r, c] / sqrt(mean_c(x[r]^2) + eps) * weight[c]. In place is allowed.
struct RmsNormArgs {
  const float* x = nullptr;
  std::int64_t x_stride = 0;
  const float* weight = nullptr;  // [cols]
  float eps = 0;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  float* out = nullptr;
  std::int64_t out_stride = 0;
};

// Slots of one (sequence, layer, KV head). A page holds kPageSlots keys [kPageSlots, head_dim], then as many
// values, in kv_dtype (bf16 or f32). Slot s lies in page s / kPageSlots at row s % kPageSlots.
inline constexpr int kPageSlots = 64;

// Running softmax of one group of query heads over some slots: merge-able, so that slots can be split among
// threads. `acc` is unnormalised: attention output = acc / sum. An empty state has max = -inf, sum = 0, acc =
// 0.
struct SoftmaxState {
  float* max = nullptr;  // [group]
  float* sum = nullptr;  // [group]
  float* acc = nullptr;  // [group, head_dim]
};

// Decode: `group` query heads over the slots [slot_begin, slot_end) of their KV head, all of them visible.
// Overwrites `state` with the result for these slots alone.
struct AttendSlotsArgs {
  const float* q = nullptr;  // [group, head_dim], after RoPE, not scaled
  int group = 0;
  int head_dim = 0;
  float scale = 0;  // 1 / sqrt(head_dim)
  const void* const* pages = nullptr;
  DType kv_dtype = DType::bf16;
  int slot_begin = 0;
  int slot_end = 0;
  SoftmaxState state;
  float* scores = nullptr;  // optional out: scaled logits [group, scores_stride], slot s at [s - slot_begin]
  std::int64_t scores_stride = 0;  // policies that evict by attention (TOVA, H2O) ask for them
};

// Prefill: `queries` consecutive positions of one sequence over the candidate keys of one KV head.
// Query i (position first_position + i) sees key j iff position[j] <= first_position + i <= last_query[j].
// Every query sees at least one key (itself). To share a block among threads, give each some of the queries.
struct AttendBlockArgs {
  const float* q = nullptr;  // [queries, group, head_dim], row stride q_stride, after RoPE, not scaled
  std::int64_t q_stride = 0;
  int queries = 0;
  int group = 0;
  int head_dim = 0;
  float scale = 0;
  std::int32_t first_position = 0;
  const void* k = nullptr;  // [keys, head_dim] in kv_dtype
  const void* v = nullptr;  // [keys, head_dim]
  DType kv_dtype = DType::bf16;
  int keys = 0;
  const std::int32_t* position =
      nullptr;  // [keys]; cached tokens in slot order, then the chunk's own in order
  const std::int32_t* last_query = nullptr;  // [keys]; INT32_MAX for a token that is kept
  float* out = nullptr;                      // [queries, group, head_dim], row stride out_stride
  std::int64_t out_stride = 0;
};

struct CpuOps {
  const char* name;  // "reference", "portable", "avx2", "avx512", "avx512_bf16", "amx"
  // All matmuls of the span as one pool of work; neighbours that share x convert it once. Small ones are best
  // put first: the last pieces decide how long the other threads wait.
  void (*matmul)(std::span<const MatmulArgs> matmuls, const Part& part);
  void (*gated_matmul)(const GatedMatmulArgs& args, const Part& part);
  void (*rmsnorm)(const RmsNormArgs& args);
  void (*attend_slots)(const AttendSlotsArgs& args);
  void (*attend_block)(const AttendBlockArgs& args);
};

const CpuOps& reference_ops();

// The best table this processor can run, chosen once at run time.
// DMSCOPE_ISA=portable|avx2|avx512|avx512_bf16|amx in the environment asks for a lesser one; an unknown or
// impossible name falls back and `reason` says so.
const CpuOps& best_ops(std::string* reason = nullptr);

// Every table this processor can run, reference excluded, worst first. For tests and benchmarks.
std::vector<const CpuOps*> available_ops();

// Merges `from` into `into`: as if one state had seen the slots of both.
void merge_softmax(const SoftmaxState& into, const SoftmaxState& from, int group, int head_dim);

// x[rows of pairs (i, i + dim/2)] rotated by position: Hugging Face's rotate-half RoPE, in place.
// cos and sin are [head_dim / 2] for the token's position.
void rope_rotate(float* x, int head_dim, const float* cos, const float* sin);

// dst[i] = src[i] as kv_dtype (bf16: round to nearest even, or f32), `count` elements.
void store_kv(void* dst, DType kv_dtype, const float* src, std::int64_t count);

// dst[i] = (1 - blend) * dst[i] + blend * src[i], dst in kv_dtype.
void blend_kv(void* dst, DType kv_dtype, const float* src, float blend, std::int64_t count);

}  // namespace kernels
