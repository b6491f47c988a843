// Attention of single queries over whole caches: what decode does. Slots are split among threads, so that one
// long head keeps them all busy, and the partial results merged.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cache/head_cache.hpp"
#include "engine/policy/policy.hpp"
#include "kernels/cpu/ops.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace engine {

class DecodeAttention {
 public:
  DecodeAttention(int group, const SlotLayout& layout, const kernels::CpuOps& ops, kernels::ThreadPool& pool);

  // One KV head's query group: q and out are [group, head_dim]. `slots` empty reads every slot. `scores`, if
  // not null, receives the scaled attention logits, [group, live].
  void add(const HeadCache& cache, const float* q, float* out, std::span<const SlotRange> slots = {},
           float* scores = nullptr);
  // Attends everything added, then forgets it. Returns the slots read.
  std::int64_t run();

 private:
  struct Read {
    const HeadCache* cache;
    const float* q;
    float* out;
    float* scores;
    std::size_t first_range, range_count;
    std::size_t first_task = 0, task_count = 0;
  };
  struct Task {
    const Read* read;
    SlotRange slots;
  };
  void split_into_tasks();
  void attend(std::size_t task);
  void combine(const Read& read);
  kernels::SoftmaxState partial(std::size_t task);

  int group_;
  SlotLayout layout_;
  const kernels::CpuOps& ops_;
  kernels::ThreadPool& pool_;
  std::int64_t slots_ = 0;
  std::vector<Read> reads_;
  std::vector<SlotRange> ranges_;
  std::vector<Task> tasks_;
  std::vector<float> partials_;  // per task: max [group], sum [group], acc [group, head_dim]
};

}  // namespace engine
