// What happens to one layer's queries, keys and decision logits between the projections and attention, and
// where the decisions go. Shared by decode attention, which does it itself, and prefill, which has a kernel
// for it.
#pragma once

#include <cstdint>

#include "kernels/tensor.hpp"

namespace kernels::cuda {

// Closed-form policies of engine/policy: how a marked token is told.
enum class JudgeRule : std::uint8_t {
  dense,      // never; the gates, where there are any, are reported raw
  threshold,  // dms: gate > threshold
  window,     // position >= sinks; the logit is +1 or -1
  key_norm,   // knorm: |key after RoPE| > threshold
};

// How raw gates (gates.hpp) become decision logits, and who is judged.
struct GateRule {
  JudgeRule judge = JudgeRule::dense;
  bool has_gates = false;        // the model has them: else the logit is NaN unless the rule makes one
  bool borrowed_neuron = false;  // the logit is a query channel: multiplied by the query norm's factor, and
                                 // the channel is taken out of attention
  bool zero_after_rope = false;  // borrowed neuron: zeroed again after RoPE
  bool per_layer = false;        // every head uses head 0's
  float scale = 1;               // logit = raw * scale - offset
  float offset = 0;
  double threshold = 0;  // compared in float64, as on the host
  std::int32_t lag = 0;  // 0 or 1: the logit computed at token t + lag judges token t
  std::int32_t sinks = 0;
};

// One layer's queries, keys and values as the projections left them, and how to finish them. Row i stands for
// the token at position positions[i] of some sequence.
struct HeadsInput {
  const float* q = nullptr;  // [rows, q_stride] query projections, before query norm and RoPE
  std::int64_t q_stride = 0;
  const float* k = nullptr;  // [rows, kv_stride]
  const float* v = nullptr;  // [rows, kv_stride]
  std::int64_t kv_stride = 0;
  const float* raw_gates = nullptr;  // [kv_heads, raw_stride], or null: no gates, or borrowed and taken from
                                     // q (exact only where the projection was, up to kExactRows rows)
  std::int64_t raw_stride = 0;
  const float* q_norm = nullptr;  // [head_dim] or null (Qwen3)
  const float* k_norm = nullptr;
  float eps = 0;
  const float* cos = nullptr;  // [max_positions, head_dim / 2] of RoPE
  const float* sin = nullptr;
  int rows = 0;
  int query_heads = 0;
  int kv_heads = 0;
  int head_dim = 0;  // even, up to kMaxHeadDim
  GateRule gate;
};

inline constexpr int kMaxHeadDim = 256;
inline constexpr int kMaxGroup = 8;  // query heads per KV head

// One layer's decisions and live counts. Column i is what row i's logit said: it judges position - lag, and
// means nothing where that is negative.
struct DecisionsOutput {
  float* logits = nullptr;          // [kv_heads, stride] NaN: no logit
  std::uint8_t* marked = nullptr;   // [kv_heads, stride] 0 or 1
  std::int32_t* live_at = nullptr;  // [kv_heads, stride] slots that row i's query saw, itself included
  std::int64_t stride = 0;
};

}  // namespace kernels::cuda
