#include "engine/backend/cpu_prefill_attention.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/backend/share_units.hpp"

namespace engine {

namespace {

constexpr std::int32_t kBlockQueries = 32;  // work unit of a thread; times the group it fills a matmul tile
constexpr std::int64_t kPackUnit = 256;     // keys packed at a time

}  // namespace

PrefillAttention::PrefillAttention(int group, const SlotLayout& layout, const kernels::CpuOps& ops,
                                   kernels::ThreadPool& pool)
    : group_(group), layout_(layout), ops_(ops), pool_(pool) {}

void PrefillAttention::run(const HeadCache& cache, const ChunkRows& chunk) {
  keys_ = cache.live() + chunk.count;
  const auto keys = static_cast<std::size_t>(keys_);
  packed_keys_.resize(keys * layout_.row_bytes());
  packed_values_.resize(keys * layout_.row_bytes());
  positions_.resize(keys);
  last_query_.resize(keys);
  share_units(pool_, (keys_ + kPackUnit - 1) / kPackUnit, [&](std::int64_t unit, int) {
    pack(cache, chunk, unit * kPackUnit, std::min<std::int64_t>(keys_, (unit + 1) * kPackUnit));
  });
  const std::int32_t blocks = (chunk.count + kBlockQueries - 1) / kBlockQueries;
  // Later blocks see more keys: hand them out first, so that no thread is left with the longest one at the
  // end.
  share_units(pool_, blocks,
              [&](std::int64_t unit, int) { attend(chunk, blocks - 1 - static_cast<std::int32_t>(unit)); });
}

void PrefillAttention::pack(const HeadCache& cache, const ChunkRows& chunk, std::int64_t begin,
                            std::int64_t end) {
  const std::size_t bytes = layout_.row_bytes();
  for (std::int64_t i = begin; i < end; ++i) {
    const auto key = static_cast<std::size_t>(i);
    std::byte* k = packed_keys_.data() + key * bytes;
    std::byte* v = packed_values_.data() + key * bytes;
    if (i < cache.live()) {
      const auto slot = static_cast<std::int32_t>(i);
      std::memcpy(k, cache.key(slot), bytes);
      std::memcpy(v, cache.value(slot), bytes);
      positions_[key] = cache.positions()[key];
      last_query_[key] = cache.last_query(slot);
    } else {
      const std::int64_t row = i - cache.live();
      kernels::store_kv(k, layout_.dtype, chunk.k + row * chunk.kv_stride, layout_.head_dim);
      kernels::store_kv(v, layout_.dtype, chunk.v + row * chunk.kv_stride, layout_.head_dim);
      positions_[key] = chunk.first_position + static_cast<std::int32_t>(row);
      last_query_[key] = chunk.last_query[row];
    }
  }
}

void PrefillAttention::attend(const ChunkRows& chunk, std::int32_t block) {
  const std::int32_t first = block * kBlockQueries;
  kernels::AttendBlockArgs args;
  args.q = chunk.q + first * chunk.q_stride;
  args.q_stride = chunk.q_stride;
  args.queries = std::min(kBlockQueries, chunk.count - first);
  args.group = group_;
  args.head_dim = layout_.head_dim;
  args.scale = 1.0f / std::sqrt(static_cast<float>(layout_.head_dim));
  args.first_position = chunk.first_position + first;
  args.k = packed_keys_.data();
  args.v = packed_values_.data();
  args.kv_dtype = layout_.dtype;
  // Keys of the chunk after the block's last query are the future.
  args.keys = keys_ - (chunk.count - first - args.queries);
  args.position = positions_.data();
  args.last_query = last_query_.data();
  args.out = chunk.out + first * chunk.out_stride;
  args.out_stride = chunk.out_stride;
  ops_.attend_block(args);
}

}  // namespace engine
