#include "engine/backend/cuda_cache.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>

#include "engine/backend/byte_text.hpp"

namespace engine {

namespace {

using kernels::cuda::copy_async;
using kernels::cuda::fill_bytes_async;
using kernels::cuda::GrowingBuffer;
using kernels::cuda::kPageSlots;
using Scope = CudaTimer::Scope;

// Addresses are reserved for as many sequences; memory is taken for those that exist.
constexpr int kMaxSequences = 4096;
// Where addresses cannot be reserved ahead of memory.
constexpr int kMaxSequencesWithoutGrowth = 64;
constexpr double kFreeShareWithoutGrowth = 0.6;
constexpr std::int64_t kLeftForOthers = std::int64_t{256} << 20;  // of the GPU's memory, beyond bare need
constexpr std::int64_t kFirstPages = 1024;
constexpr int kFirstSequences = 8;

std::int32_t max_pages_per_head(const ModelConfig& config) {
  return (config.max_positions + kPageSlots - 1) / kPageSlots;
}

std::size_t bytes_of(std::int64_t count) {
  return static_cast<std::size_t>(count) * sizeof(std::int32_t);
}

// Pages that the pool may ever have.
std::int64_t page_limit(std::int64_t page_cost, std::int64_t limit_bytes, bool grows) {
  const kernels::cuda::MemoryInfo memory = kernels::cuda::memory_info();
  const auto without_growth =
      static_cast<std::int64_t>(static_cast<double>(memory.free_bytes) * kFreeShareWithoutGrowth);
  std::int64_t bytes = grows ? memory.total_bytes : without_growth;
  if (limit_bytes > 0) bytes = std::min(bytes, limit_bytes);
  // Page 0 is the kernels' scratch page.
  return std::clamp<std::int64_t>(bytes / page_cost, 2,
                                  std::numeric_limits<std::int32_t>::max() / kPageSlots);
}

}  // namespace

CudaCache::CudaCache(const ModelConfig& config, const PolicyFacts& facts, kernels::DType dtype,
                     std::int64_t limit_bytes, const kernels::cuda::Stream& stream, CudaTimer& timer)
    : stream_(stream),
      timer_(timer),
      heads_(std::int64_t{config.layers} * config.kv_heads),
      page_bytes_(static_cast<std::int64_t>(kernels::cuda::page_bytes(config.head_dim))),
      page_cost_(page_bytes_ + std::int64_t{kPageSlots + 1} * 4),
      counters_(2) {
  const bool grows = kernels::cuda::can_grow();
  max_pages_ = page_limit(page_cost_, limit_bytes, grows);
  const std::int64_t sequences = grows ? kMaxSequences : kMaxSequencesWithoutGrowth;
  const bool evicts = facts.kind != PolicyKind::dense && facts.window < config.max_positions;

  view_.page_count = static_cast<std::int32_t>(max_pages_);
  view_.sequence_slots = static_cast<std::int32_t>(sequences);
  view_.layers = config.layers;
  view_.kv_heads = config.kv_heads;
  view_.head_dim = config.head_dim;
  view_.max_pages = max_pages_per_head(config);
  view_.window = facts.window;
  view_.ring_size = evicts ? facts.window + 1 : 0;
  view_.dtype = dtype;

  pages_ = GrowingBuffer(static_cast<std::size_t>(max_pages_ * page_bytes_));
  last_query_ = GrowingBuffer(bytes_of(max_pages_ * kPageSlots));
  free_pages_ = GrowingBuffer(bytes_of(max_pages_));
  page_table_ = GrowingBuffer(bytes_of(sequences * heads_ * view_.max_pages));
  live_ = GrowingBuffer(bytes_of(sequences * heads_));
  ring_ = GrowingBuffer(bytes_of(std::max<std::int64_t>(1, sequences * heads_ * view_.ring_size)));
  const auto ints = [](const GrowingBuffer& buffer) {
    return reinterpret_cast<std::int32_t*>(buffer.data());
  };
  view_.pages = pages_.data();
  view_.last_query = ints(last_query_);
  view_.free_pages = ints(free_pages_);
  view_.page_table = ints(page_table_);
  view_.live = ints(live_);
  view_.ring = ints(ring_);
  view_.free_count = counters_.data();
  view_.failures = counters_.data() + 1;
  const Scope scope(timer_, CudaOperation::cache, -1, 0, true);
  fill_bytes_async(counters_.data(), 0, counters_.bytes(), stream_.get());
}

// --- pages

Status CudaCache::ensure_free(std::int64_t pages, std::string_view doing) {
  if (budget_.missing(pages) == 0) return {};
  return grow_pages(budget_.missing(pages), doing);
}

// Doubles the pool while that takes a quarter of the free memory at most, so that it seldom grows and leaves
// others some: the activations of longer steps, another backend. Else what is missing must do.
std::int64_t CudaCache::growth(std::int64_t missing) const {
  const std::int64_t free_bytes = kernels::cuda::memory_info().free_bytes;
  const std::int64_t affordable = std::max<std::int64_t>(0, free_bytes - kLeftForOthers) / page_cost_;
  const std::int64_t wanted = std::max({missing, std::min(budget_.total(), affordable / 4), kFirstPages});
  const std::int64_t room = max_pages_ - 1 - budget_.total();
  return std::min(std::max(missing, std::min(wanted, affordable)), room);
}

Status CudaCache::grow_pages(std::int64_t missing, std::string_view doing) {
  const auto refused = [&](std::int64_t free_bytes) {
    return failed(
        "the GPU is out of memory for caches during {}: {} more are needed, {} are taken, "
        "{} of the GPU's memory are free",
        doing, byte_text(missing * page_cost_), byte_text(budget_.held() * page_cost_),
        byte_text(free_bytes));
  };
  stream_.synchronize();
  const std::int64_t more = growth(missing);
  if (more < missing) return refused(kernels::cuda::memory_info().free_bytes);
  const std::int64_t first = budget_.total() + 1;
  try {
    pages_.grow(static_cast<std::size_t>((first + more) * page_bytes_));
    last_query_.grow(bytes_of((first + more) * kPageSlots));
    free_pages_.grow(bytes_of(first + more));
  } catch (const kernels::cuda::CudaError& error) {
    if (!error.out_of_memory()) throw;
    return refused(kernels::cuda::memory_info().free_bytes);
  }
  clear_pages(budget_.total() == 0 ? 0 : first, first + more);
  add_free_pages(first, more);
  budget_.grow(more);
  return {};
}

// Kernels read whole pages and throw away what lies in empty slots; a memory checker cannot know that they
// do.
void CudaCache::clear_pages(std::int64_t first, std::int64_t end) {
  const Scope scope(timer_, CudaOperation::cache, -1, 0, true);
  fill_bytes_async(view_.pages + first * page_bytes_, 0,
                   static_cast<std::size_t>((end - first) * page_bytes_), stream_.get());
}

void CudaCache::add_free_pages(std::int64_t first, std::int64_t count) {
  const Scope scope(timer_, CudaOperation::cache, -1, 0, true);
  std::int32_t free = 0;
  copy_async(&free, view_.free_count, sizeof free, stream_.get());
  stream_.synchronize();
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  // Taken from the end: low ids first.
  std::iota(ids.rbegin(), ids.rend(), static_cast<std::int32_t>(first));
  copy_async(view_.free_pages + free, ids.data(), bytes_of(count), stream_.get());
  free += static_cast<std::int32_t>(count);
  copy_async(view_.free_count, &free, sizeof free, stream_.get());
  stream_.synchronize();
}

Status CudaCache::admit(std::span<const int> slots, std::span<const std::int32_t> tokens,
                        std::string_view doing) {
  std::int64_t total = 0;
  std::vector<std::int64_t> wanted;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    wanted.push_back(pages_wanted(live(slots[i]), tokens[i]));
    total += wanted.back();
  }
  if (auto status = ensure_free(total, doing); !status) return status;
  budget_.take(total);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    sequences_[static_cast<std::size_t>(slots[i])].admitted = wanted[i];
  }
  return {};
}

void CudaCache::settle(int slot, std::span<const std::int32_t> live) {
  Sequence& sequence = sequences_[static_cast<std::size_t>(slot)];
  const std::int64_t held = pages_held(live);
  const std::int64_t taken = held - sequence.pages;
  assert(taken >= 0 && taken <= sequence.admitted);
  budget_.release(sequence.admitted - taken);
  sequence.admitted = 0;
  sequence.pages = held;
  sequence.live.assign(live.begin(), live.end());
}

// --- sequences

Status CudaCache::grow_sequences() {
  const auto had = static_cast<std::int64_t>(sequences_.size());
  if (had == view_.sequence_slots) return failed("{} sequences: the GPU backend has room for no more", had);
  const std::int64_t have =
      std::min<std::int64_t>(std::max<std::int64_t>(kFirstSequences, 2 * had), view_.sequence_slots);
  stream_.synchronize();
  page_table_.grow(bytes_of(have * heads_ * view_.max_pages));
  live_.grow(bytes_of(have * heads_));
  ring_.grow(bytes_of(have * heads_ * view_.ring_size));
  const std::int64_t more = (have - had) * heads_;
  const Scope scope(timer_, CudaOperation::cache, -1, 0, true);
  fill_bytes_async(view_.page_table + had * heads_ * view_.max_pages, 0, bytes_of(more * view_.max_pages),
                   stream_.get());
  fill_bytes_async(view_.live + had * heads_, 0, bytes_of(more), stream_.get());
  fill_bytes_async(view_.ring + had * heads_ * view_.ring_size, 0xff, bytes_of(more * view_.ring_size),
                   stream_.get());  // kNoToken
  sequences_.resize(static_cast<std::size_t>(have));
  return {};
}

Result<int> CudaCache::open() {
  const auto is_free = [](const Sequence& sequence) { return !sequence.open; };
  auto found = std::find_if(sequences_.begin(), sequences_.end(), is_free);
  if (found == sequences_.end()) {
    if (auto status = grow_sequences(); !status) return status.error();
    found = std::find_if(sequences_.begin(), sequences_.end(), is_free);
  }
  found->open = true;
  found->live.assign(static_cast<std::size_t>(heads_), 0);
  return static_cast<int>(found - sequences_.begin());
}

void CudaCache::close(int slot) {
  Sequence& sequence = sequences_[static_cast<std::size_t>(slot)];
  const Scope scope(timer_, CudaOperation::cache, -1, 0);
  launch_cache_release(view_, slot, stream_.get());
  budget_.release(sequence.pages + sequence.admitted);
  sequence = Sequence{};
}

Result<int> CudaCache::fork(int from) {
  const std::int64_t pages = sequences_[static_cast<std::size_t>(from)].pages;
  if (auto status = ensure_free(pages, "the copy of a sequence"); !status) return status.error();
  const auto to = open();
  if (!to) return to;
  const Scope scope(timer_, CudaOperation::cache, -1, 0);
  launch_cache_fork(view_, from, *to, stream_.get());
  budget_.take(pages);
  Sequence& copy = sequences_[static_cast<std::size_t>(*to)];
  copy.live.assign(live(from).begin(), live(from).end());
  copy.pages = pages;
  return *to;
}

}  // namespace engine
