#include "engine/backend/cpu_attention.hpp"

#include <algorithm>
#include <atomic>
#include <limits>

namespace engine {

CpuAttention::CpuAttention(const ModelConfig& config, Policy& policy, const kernels::CpuOps& ops,
                           kernels::ThreadPool& pool, const SlotLayout& layout)
    : config_(config),
      policy_(policy),
      pool_(pool),
      layout_(layout),
      decode_(config.group(), layout, ops, pool),
      prefill_(config.group(), layout, ops, pool) {}

void CpuAttention::run(std::int32_t layer, std::span<const StepSequence> sequences,
                       const AttentionRows& rows) {
  if (judgements_.size() < sequences.size()) judgements_.resize(sequences.size());
  std::int32_t longest = 0;
  for (std::size_t index = 0; index < sequences.size(); ++index) {
    const StepSequence& sequence = sequences[index];
    judge(layer, index, sequence, rows);
    if (policy_.facts().closed_form && sequence.count > 1) {
      prefill(layer, index, sequence, rows);
    } else {
      longest = std::max(longest, sequence.count);
    }
  }
  for (std::int32_t i = 0; i < longest; ++i) decode(layer, sequences, i, rows);
}

HeadCache& CpuAttention::cache_of(std::int32_t layer, std::int32_t kv_head,
                                  const StepSequence& sequence) const {
  return sequence.sequence->heads[static_cast<std::size_t>(layer * config_.kv_heads + kv_head)];
}

void CpuAttention::judge(std::int32_t layer, std::size_t index, const StepSequence& sequence,
                         const AttentionRows& rows) {
  JudgeInput input;
  input.layer = layer;
  input.kv_heads = config_.kv_heads;
  input.head_dim = config_.head_dim;
  input.first_position = sequence.sequence->length;
  input.count = sequence.count;
  input.gates = rows.gates != nullptr ? rows.gates + sequence.row : nullptr;
  input.gate_stride = rows.rows;
  input.keys = rows.k + sequence.row * kv_width();
  input.key_stride = kv_width();
  judgements_[index].judge(policy_, input, *sequence.output);
}

// --- token by token
// ---------------------------------------------------------------------------------------------

void CpuAttention::decode(std::int32_t layer, std::span<const StepSequence> sequences, std::int32_t i,
                          const AttentionRows& rows) {
  const bool wants_scores = policy_.facts().reads_attention;
  if (wants_scores) scores_.resize(sequences.size() * static_cast<std::size_t>(config_.kv_heads));
  for (std::size_t index = 0; index < sequences.size(); ++index) {
    const StepSequence& sequence = sequences[index];
    if (i >= sequence.count || (policy_.facts().closed_form && sequence.count > 1)) continue;
    for (std::int32_t kv_head = 0; kv_head < config_.kv_heads; ++kv_head) {
      enter(layer, kv_head, index, sequence, i, rows);
      const HeadCache& cache = cache_of(layer, kv_head, sequence);
      const std::int64_t offset = (sequence.row + i) * q_width() + kv_head * group_width();
      selected_.clear();
      if (!policy_.facts().closed_form) {
        policy_.select({sequence.sequence->id, layer, kv_head}, cache,
                       {rows.q + offset, static_cast<std::size_t>(group_width())}, selected_);
      }
      float* scores = nullptr;
      if (wants_scores) {
        auto& buffer =
            scores_[index * static_cast<std::size_t>(config_.kv_heads) + static_cast<std::size_t>(kv_head)];
        buffer.assign(static_cast<std::size_t>(config_.group()) * static_cast<std::size_t>(cache.live()),
                      -std::numeric_limits<float>::infinity());
        scores = buffer.data();
      }
      decode_.add(cache, rows.q + offset, rows.out + offset, selected_, scores);
    }
  }
  kv_reads_ += decode_.run();
  if (wants_scores) observe(layer, sequences, i);
}

void CpuAttention::enter(std::int32_t layer, std::int32_t kv_head, std::size_t index,
                         const StepSequence& sequence, std::int32_t i, const AttentionRows& rows) {
  HeadCache& cache = cache_of(layer, kv_head, sequence);
  const std::int32_t position = sequence.sequence->length + i;
  const std::int64_t offset = (sequence.row + i) * kv_width() + std::int64_t{kv_head} * config_.head_dim;
  if (policy_.facts().closed_form) {
    const std::int32_t slot = admit(cache, kv_head, judgements_[index], position);
    kernels::store_kv(cache.key(slot), layout_.dtype, rows.k + offset, config_.head_dim);
    kernels::store_kv(cache.value(slot), layout_.dtype, rows.v + offset, config_.head_dim);
  } else {
    admit_by_slot(cache, {sequence.sequence->id, layer, kv_head}, *sequence.output, position, rows.k + offset,
                  rows.v + offset);
  }
  note_live(layer, kv_head, sequence, i, cache.live());
}

void CpuAttention::observe(std::int32_t layer, std::span<const StepSequence> sequences, std::int32_t i) {
  for (std::size_t index = 0; index < sequences.size(); ++index) {
    if (i >= sequences[index].count) continue;
    for (std::int32_t kv_head = 0; kv_head < config_.kv_heads; ++kv_head) {
      policy_.observe(
          {sequences[index].sequence->id, layer, kv_head}, cache_of(layer, kv_head, sequences[index]),
          scores_[index * static_cast<std::size_t>(config_.kv_heads) + static_cast<std::size_t>(kv_head)],
          config_.group());
    }
  }
}

// --- in one go
// --------------------------------------------------------------------------------------------------

void CpuAttention::prefill(std::int32_t layer, std::size_t index, const StepSequence& sequence,
                           const AttentionRows& rows) {
  const std::int32_t first = sequence.sequence->length;
  const PolicyFacts& facts = policy_.facts();
  chunk_last_query_.resize(static_cast<std::size_t>(sequence.count));
  for (std::int32_t kv_head = 0; kv_head < config_.kv_heads; ++kv_head) {
    HeadCache& cache = cache_of(layer, kv_head, sequence);
    const LayerJudgement& judgement = judgements_[index];
    // With lag 1 this pass judges the last cached token too, and its queries must know.
    if (facts.lag > 0 && judgement.marks(kv_head, first - 1)) cache.mark(first - 1);
    for (std::int32_t i = 0; i < sequence.count; ++i) {
      const std::int64_t last = std::int64_t{first} + i + facts.window;
      const bool leaves =
          judgement.marks(kv_head, first + i) && last < std::numeric_limits<std::int32_t>::max();
      chunk_last_query_[static_cast<std::size_t>(i)] =
          leaves ? static_cast<std::int32_t>(last) : std::numeric_limits<std::int32_t>::max();
    }
    ChunkRows chunk;
    chunk.first_position = first;
    chunk.count = sequence.count;
    chunk.q = rows.q + sequence.row * q_width() + kv_head * group_width();
    chunk.q_stride = q_width();
    chunk.k = rows.k + sequence.row * kv_width() + std::int64_t{kv_head} * config_.head_dim;
    chunk.v = rows.v + sequence.row * kv_width() + std::int64_t{kv_head} * config_.head_dim;
    chunk.kv_stride = kv_width();
    chunk.last_query = chunk_last_query_.data();
    chunk.out = rows.out + sequence.row * q_width() + kv_head * group_width();
    chunk.out_stride = q_width();
    prefill_.run(cache, chunk);
    commit(layer, kv_head, index, sequence, rows);
  }
}

// Admits the chunk's tokens in order, as decode would, and copies what is left of them at its end.
void CpuAttention::commit(std::int32_t layer, std::int32_t kv_head, std::size_t index,
                          const StepSequence& sequence, const AttentionRows& rows) {
  HeadCache& cache = cache_of(layer, kv_head, sequence);
  const std::int32_t first = sequence.sequence->length;
  for (std::int32_t i = 0; i < sequence.count; ++i) {
    admit(cache, kv_head, judgements_[index], first + i);
    kv_reads_ += cache.live();
    note_live(layer, kv_head, sequence, i, cache.live());
  }
  const std::span<const std::int32_t> positions = cache.positions();
  for (std::int32_t slot = 0; slot < cache.live(); ++slot) {
    const std::int32_t i = positions[static_cast<std::size_t>(slot)] - first;
    if (i < 0) continue;
    const std::int64_t offset = (sequence.row + i) * kv_width() + std::int64_t{kv_head} * config_.head_dim;
    kernels::store_kv(cache.key(slot), layout_.dtype, rows.k + offset, config_.head_dim);
    kernels::store_kv(cache.value(slot), layout_.dtype, rows.v + offset, config_.head_dim);
  }
}

// --- both
// -------------------------------------------------------------------------------------------------------

// With lag 1 the token before is decided as this one arrives, in time to be the one that leaves (window 0).
std::int32_t CpuAttention::admit(HeadCache& cache, std::int32_t kv_head, const LayerJudgement& judgement,
                                 std::int32_t position) {
  const int lag = policy_.facts().lag;
  if (lag > 0 && judgement.marks(kv_head, position - lag)) cache.mark(position - lag);
  const std::int32_t slot = cache.admit(position);
  if (lag == 0 && judgement.marks(kv_head, position)) cache.mark(position);
  return slot;
}

std::int32_t CpuAttention::admit_by_slot(HeadCache& cache, const HeadRef& ref, SequenceOutput& output,
                                         std::int32_t position, const float* k, const float* v) {
  const Admission admission = policy_.admit(ref, cache, position);
  if (admission.kind == Admission::Kind::merge) {
    kernels::blend_kv(cache.key(admission.slot), layout_.dtype, k, admission.blend, config_.head_dim);
    kernels::blend_kv(cache.value(admission.slot), layout_.dtype, v, admission.blend, config_.head_dim);
    return admission.slot;
  }
  std::int32_t slot = admission.slot;
  if (admission.kind == Admission::Kind::append) {
    slot = cache.append(position);
  } else {
    output.evicted.push_back({ref.layer, ref.kv_head, cache.positions()[static_cast<std::size_t>(slot)]});
    cache.replace(slot, position);
  }
  kernels::store_kv(cache.key(slot), layout_.dtype, k, config_.head_dim);
  kernels::store_kv(cache.value(slot), layout_.dtype, v, config_.head_dim);
  return slot;
}

void CpuAttention::note_live(std::int32_t layer, std::int32_t kv_head, const StepSequence& sequence,
                             std::int32_t i, std::int32_t live) {
  if (sequence.output->live_at.empty()) return;
  const std::int64_t head = std::int64_t{layer} * config_.kv_heads + kv_head;
  sequence.output->live_at[static_cast<std::size_t>(head * sequence.count + i)] = live;
}

}  // namespace engine
