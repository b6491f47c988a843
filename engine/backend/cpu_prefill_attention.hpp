// Attention of one prefill chunk over one KV head: candidate keys (what the cache holds and the chunk itself)
// packed in order, each with the last query that still sees it, then blocks of queries shared out among
// threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cache/head_cache.hpp"
#include "kernels/cpu/ops.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace engine {

// The chunk's rows of one KV head; strides in elements.
struct ChunkRows {
  std::int32_t first_position = 0;
  std::int32_t count = 0;
  const float* q = nullptr;  // [count, group, head_dim]
  std::int64_t q_stride = 0;
  const float* k = nullptr;  // [count, head_dim]
  const float* v = nullptr;
  std::int64_t kv_stride = 0;
  const std::int32_t* last_query =
      nullptr;           // [count] last position that sees the chunk's token, INT32_MAX: kept
  float* out = nullptr;  // [count, group, head_dim]
  std::int64_t out_stride = 0;
};

class PrefillAttention {
 public:
  PrefillAttention(int group, const SlotLayout& layout, const kernels::CpuOps& ops,
                   kernels::ThreadPool& pool);

  // `cache` as it is before the chunk, except that the chunk's decisions about its tokens are marked.
  void run(const HeadCache& cache, const ChunkRows& chunk);

 private:
  void pack(const HeadCache& cache, const ChunkRows& chunk, std::int64_t begin, std::int64_t end);
  void attend(const ChunkRows& chunk, std::int32_t block);

  int group_;
  SlotLayout layout_;
  const kernels::CpuOps& ops_;
  kernels::ThreadPool& pool_;
  std::int32_t keys_ = 0;
  std::vector<std::byte> packed_keys_, packed_values_;  // [keys, head_dim]
  std::vector<std::int32_t> positions_, last_query_;    // [keys]
};

}  // namespace engine
