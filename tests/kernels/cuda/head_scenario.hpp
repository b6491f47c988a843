// Sequences of random tokens in one layer, and what attention over them must give: a dense softmax over the
// tokens that the rule of delayed eviction leaves visible, and the host's HeadCache for where they lie.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cache/head_cache.hpp"
#include "kernels/cuda/judgement.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace kernels::cuda::test {

struct ScenarioShape {
  int group = 1;
  int kv_heads = 2;
  int head_dim = 64;
  int window = 16;  // negative: nothing is ever evicted
  GateRule gate;
  bool norms = false;     // of queries and keys
  bool raw_gates = true;  // given, or taken from the queries (borrowed neuron)
  DType dtype = DType::bf16;
};

inline constexpr int kMaxPositions = 2304;
inline constexpr float kHeadEps = 1e-6f;

// One sequence of `tokens` tokens: inputs, and everything that must come out.
struct SequenceScenario {
  ScenarioShape shape;
  int tokens;
  std::vector<float> q, k, v, raw;  // [tokens, heads * head_dim]; raw [tokens, kv_heads]
  std::vector<float> finished_q, finished_k;
  std::vector<float> logits;          // [tokens, kv_heads], what row t says
  std::vector<std::uint8_t> marked;   // same
  std::vector<float> out;             // [tokens, query_heads * head_dim]
  std::vector<std::int32_t> live_at;  // [tokens, kv_heads]

  SequenceScenario(const ScenarioShape& shape, int tokens, Random& random, const std::vector<float>& q_norm,
                   const std::vector<float>& k_norm, const std::vector<float>& cos,
                   const std::vector<float>& sin);

  int query_heads() const { return shape.group * shape.kv_heads; }
  // Whether the token at `position` leaves its window for good.
  bool leaves(int position, int kv_head) const;
  // The host's cache of one head after `count` tokens.
  engine::HeadCache cache_after(int count, int kv_head, engine::PageArena& arena) const;

 private:
  void finish(const std::vector<float>& q_norm, const std::vector<float>& k_norm,
              const std::vector<float>& cos, const std::vector<float>& sin);
  void judge(const std::vector<float>& q_norm);
  void attend();
  float rounded(float value) const { return from_bits(shape.dtype, to_bits(shape.dtype, value)); }
};

// The tables of all positions, [kMaxPositions, head_dim / 2].
void fill_rope(int head_dim, std::vector<float>& cos, std::vector<float>& sin);

}  // namespace kernels::cuda::test
