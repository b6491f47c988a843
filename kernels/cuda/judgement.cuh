// One token's query group and key, finished in shared memory by one block, and the decision its logit makes.
#pragma once

#include <stdexcept>

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/judgement.hpp"

namespace kernels::cuda {

// Threads of every block that finishes heads.
inline constexpr int kHeadWarps = 4;
inline constexpr int kHeadThreads = kHeadWarps * kWarp;

inline void check_heads(const HeadsInput& input) {
  if (input.head_dim > kMaxHeadDim || input.query_heads / input.kv_heads > kMaxGroup) {
    throw std::invalid_argument(
        "CUDA attention takes head_dim up to 256 and up to 8 query heads per KV head");
  }
}

// In shared memory. kDim is at least head_dim.
template <int kGroup, int kDim>
struct FinishedHeads {
  float q[kGroup][kDim];  // after query norm, borrowed neuron and RoPE
  float k[kDim];
  float gate;      // decision logit of the model, where it has one
  float key_norm;  // |k|
};

// What a token's logit says (DecisionsOutput).
struct Decision {
  float logit;
  bool marked;
};

__device__ inline float sum_of_squares(const float* values, int count) {
  float squares = 0;
  for (int i = lane_index(); i < count; i += kWarp) squares += values[i] * values[i];
  return warp_sum(squares);
}

// One warp: norm, borrowed neuron and RoPE of one head, out of and into rotate-half order.
__device__ inline void finish_head(const HeadsInput& input, const float* from, const float* norm,
                                   bool zero_last, std::int32_t position, float* to) {
  const int half = input.head_dim / 2;
  float factor = 1;
  if (norm != nullptr) {
    const float mean = sum_of_squares(from, input.head_dim) / static_cast<float>(input.head_dim);
    factor = 1.0f / sqrtf(mean + input.eps);
  }
  const float* cos = input.cos + static_cast<std::int64_t>(position) * half;
  const float* sin = input.sin + static_cast<std::int64_t>(position) * half;
  for (int i = lane_index(); i < half; i += kWarp) {
    float low = from[i] * factor;
    float high = from[half + i] * factor;
    if (norm != nullptr) low *= norm[i], high *= norm[half + i];
    const bool borrowed = zero_last && i == half - 1;
    if (borrowed) high = 0;
    to[i] = low * cos[i] - high * sin[i];
    to[half + i] = high * cos[i] + low * sin[i];
    if (borrowed && input.gate.zero_after_rope) to[half + i] = 0;
  }
}

// One warp: the model's decision logit of one token and KV head.
__device__ inline float gate_logit(const HeadsInput& input, int row, int kv_head) {
  const GateRule& rule = input.gate;
  const int head = rule.per_layer ? 0 : kv_head;
  const int group = input.query_heads / input.kv_heads;
  const float* q = input.q + row * input.q_stride + static_cast<std::int64_t>(head) * group * input.head_dim;
  float factor = 1;
  if (rule.borrowed_neuron && input.q_norm != nullptr) {
    const float mean = sum_of_squares(q, input.head_dim) / static_cast<float>(input.head_dim);
    factor = input.q_norm[input.head_dim - 1] / sqrtf(mean + input.eps);
  }
  const float raw =
      input.raw_gates != nullptr ? input.raw_gates[head * input.raw_stride + row] : q[input.head_dim - 1];
  return raw * factor * rule.scale - rule.offset;
}

// The whole block; every thread may read `heads` afterwards.
template <int kGroup, int kDim>
__device__ inline void finish_heads(const HeadsInput& input, int row, int kv_head, std::int32_t position,
                                    FinishedHeads<kGroup, kDim>& heads) {
  const int group = input.query_heads / input.kv_heads;
  const float* q =
      input.q + row * input.q_stride + static_cast<std::int64_t>(kv_head) * group * input.head_dim;
  const float* k = input.k + row * input.kv_stride + static_cast<std::int64_t>(kv_head) * input.head_dim;
  for (int head = warp_index(); head < group; head += kHeadWarps) {
    const bool zero_last = input.gate.borrowed_neuron && head == 0;
    finish_head(input, q + head * input.head_dim, input.q_norm, zero_last, position, heads.q[head]);
  }
  if (warp_index() == kHeadWarps - 1) {
    finish_head(input, k, input.k_norm, false, position, heads.k);
    __syncwarp();
    const float norm = sqrtf(sum_of_squares(heads.k, input.head_dim));
    if (lane_index() == 0) heads.key_norm = norm;
  }
  if (warp_index() == kHeadWarps - 2 && input.gate.has_gates) {
    const float gate = gate_logit(input, row, kv_head);
    if (lane_index() == 0) heads.gate = gate;
  }
  __syncthreads();
}

template <int kGroup, int kDim>
__device__ inline Decision judge(const GateRule& rule, const FinishedHeads<kGroup, kDim>& heads,
                                 std::int32_t position) {
  const auto exceeds = [&rule](float logit) { return static_cast<double>(logit) > rule.threshold; };
  const float no_logit = __uint_as_float(0x7fc00000u);
  switch (rule.judge) {
    case JudgeRule::threshold:
      return {heads.gate, exceeds(heads.gate)};
    case JudgeRule::window:
      return position < rule.sinks ? Decision{-1.0f, false} : Decision{1.0f, true};
    case JudgeRule::key_norm:
      return {heads.key_norm, exceeds(heads.key_norm)};
    default:
      return {rule.has_gates ? heads.gate : no_logit, false};
  }
}

// One thread.
__device__ inline void report(const DecisionsOutput& output, int kv_head, int row, const Decision& decision) {
  output.logits[kv_head * output.stride + row] = decision.logit;
  output.marked[kv_head * output.stride + row] = decision.marked ? 1 : 0;
}

}  // namespace kernels::cuda
