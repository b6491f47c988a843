// Attention of one layer on the CPU: the policy judges the new tokens, they enter the caches, the queries
// read them.
//
// A prefill chunk of a closed-form policy is masked in one go; everything else (decode, and policies that
// decide slot by slot) goes token by token. Both see exactly the same tokens.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/backend/backend.hpp"
#include "engine/backend/cpu_decode_attention.hpp"
#include "engine/backend/cpu_prefill_attention.hpp"
#include "engine/backend/layer_judgement.hpp"
#include "engine/cache/head_cache.hpp"
#include "engine/policy/policy.hpp"
#include "kernels/cpu/ops.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace engine {

struct CpuSequence {
  SequenceId id = 0;
  std::int32_t length = 0;       // tokens processed
  std::vector<HeadCache> heads;  // [layers, kv_heads]
};

// One sequence's share of a step: rows [row, row + count) of the step's activations.
struct StepSequence {
  CpuSequence* sequence = nullptr;
  std::int64_t row = 0;
  std::int32_t count = 0;
  SequenceOutput* output = nullptr;
};

// Activations of one layer, all rows of the step.
struct AttentionRows {
  const float* q = nullptr;      // [rows, query_heads * head_dim] after RoPE
  const float* k = nullptr;      // [rows, kv_heads * head_dim] after RoPE
  const float* v = nullptr;      // [rows, kv_heads * head_dim]
  const float* gates = nullptr;  // [kv_heads, rows] or null
  std::int64_t rows = 0;
  float* out = nullptr;  // [rows, query_heads * head_dim]
};

class CpuAttention {
 public:
  CpuAttention(const ModelConfig& config, Policy& policy, const kernels::CpuOps& ops,
               kernels::ThreadPool& pool, const SlotLayout& layout);

  void run(std::int32_t layer, std::span<const StepSequence> sequences, const AttentionRows& rows);

  // Slots read since the last call, summed over queries and KV heads.
  std::int64_t take_kv_reads() { return std::exchange(kv_reads_, 0); }

 private:
  HeadCache& cache_of(std::int32_t layer, std::int32_t kv_head, const StepSequence& sequence) const;
  void judge(std::int32_t layer, std::size_t index, const StepSequence& sequence, const AttentionRows& rows);

  // Token by token: the i-th token of every sequence that has one and is not prefilled in one go.
  void decode(std::int32_t layer, std::span<const StepSequence> sequences, std::int32_t i,
              const AttentionRows& rows);
  void enter(std::int32_t layer, std::int32_t kv_head, std::size_t index, const StepSequence& sequence,
             std::int32_t i, const AttentionRows& rows);
  void observe(std::int32_t layer, std::span<const StepSequence> sequences, std::int32_t i);

  // In one go.
  void prefill(std::int32_t layer, std::size_t index, const StepSequence& sequence,
               const AttentionRows& rows);
  void commit(std::int32_t layer, std::int32_t kv_head, std::size_t index, const StepSequence& sequence,
              const AttentionRows& rows);

  std::int32_t admit(HeadCache& cache, std::int32_t kv_head, const LayerJudgement& judgement,
                     std::int32_t position);
  std::int32_t admit_by_slot(HeadCache& cache, const HeadRef& ref, SequenceOutput& output,
                             std::int32_t position, const float* k, const float* v);
  void note_live(std::int32_t layer, std::int32_t kv_head, const StepSequence& sequence, std::int32_t i,
                 std::int32_t live);

  std::int64_t q_width() const { return std::int64_t{config_.query_heads} * config_.head_dim; }
  std::int64_t kv_width() const { return std::int64_t{config_.kv_heads} * config_.head_dim; }
  std::int64_t group_width() const { return std::int64_t{config_.group()} * config_.head_dim; }

  const ModelConfig& config_;
  Policy& policy_;
  kernels::ThreadPool& pool_;
  SlotLayout layout_;
  DecodeAttention decode_;
  PrefillAttention prefill_;
  std::int64_t kv_reads_ = 0;
  std::vector<LayerJudgement> judgements_;  // one per sequence of the step
  std::vector<std::vector<float>> scores_;  // policies that read attention: per (sequence, KV head)
  std::vector<SlotRange> selected_;
  std::vector<std::int32_t> chunk_last_query_;
};

}  // namespace engine
