#include "kernels/cuda/decode_attention.hpp"

#include <algorithm>

#include "kernels/cuda/cache.cuh"
#include "kernels/cuda/judgement.cuh"
#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

// Scores are kept in units of log2(e), so that weights are powers of two.
constexpr float kLog2E = 1.4426950408889634f;

// Blocks per head at most.
constexpr int kMostSplits = 64;

// A head as the steps before this one left it.
struct HeadState {
  std::int64_t head;
  std::int32_t position;  // of the new token
  std::int32_t live;
  std::int32_t leaving;  // ring entry of the token that leaves the window
};

__device__ HeadState read_state(const DecodeAttentionArgs& args, int row, int kv_head, int sequence_slot) {
  const CacheView& cache = args.cache;
  HeadState state{head_index(cache, sequence_slot, args.layer, kv_head), args.positions[row], 0, kNoToken};
  state.live = cache.live[state.head];
  if (cache.ring_size > 0) state.leaving = *ring_entry(cache, state.head, state.position);
  return state;
}

// Where a head's new token goes, as told by the state before the step.
struct Entry {
  std::int32_t slot;
  bool appended;
  std::int32_t live;  // with the token
};

__device__ Entry find_entry(const CacheView& cache, const HeadState& state, std::int32_t lag,
                            bool marked_now) {
  // Without a window the token that leaves is the one before, which a lag of 1 judges only now.
  const bool judged_now = cache.ring_size == 1 && lag == 1 && marked_now && state.leaving != kNoToken;
  if (is_marked(state.leaving) || judged_now) return {slot_of(state.leaving), false, state.live};
  return {state.live, true, state.live + 1};
}

// A block's share of a head's slots.
struct Split {
  std::int32_t begin, end;
};

// Slots per block, in whole pages: the blocks of a head divide what it has, not what it might have.
__device__ std::int32_t split_share(std::int32_t live) {
  const auto splits = static_cast<std::int32_t>(gridDim.x);
  const std::int32_t even = (live + splits - 1) / splits;
  const std::int32_t share = even > kMinSplitSlots ? even : kMinSplitSlots;
  return (share + kPageSlots - 1) / kPageSlots * kPageSlots;
}

__device__ Split find_split(std::int32_t live) {
  const auto index = static_cast<std::int32_t>(blockIdx.x);
  const std::int32_t share = split_share(live);
  const std::int32_t begin = index * share < live ? index * share : live;
  return {begin, begin + share < live ? begin + share : live};
}

template <typename T, int kGroup, int kDim>
struct Shared {
  static constexpr int kStride = kDim + 32;  // eight lanes that read together touch every bank once
  FinishedHeads<kGroup, kDim> heads;
  // The queries as two numbers of 16 bits each whose sum is theirs to 16 bits or more, so that the tensor
  // cores lose nothing of them; and the new token's key and value as the cache will hold them.
  alignas(16) T q_high[kGroup][kStride];
  alignas(16) T q_low[kGroup][kStride];
  alignas(16) T k[kDim];
  alignas(16) T v[kDim];
  float weights[kHeadWarps][kPageSlots][kGroup];
  float rescale[kHeadWarps][kGroup];
  float maxima[kHeadWarps][kGroup];
  float sums[kHeadWarps][kGroup];
  float out[kGroup][kDim];  // unnormalised
  float max[kGroup];
  float sum[kGroup];
  float factors[kMostSplits][kGroup];  // of the splits' results
  std::int32_t page;                   // of the new token
  bool last;                           // this block is the last of its head
};

// Rounds the finished heads to what attention reads.
template <typename T, int kGroup, int kDim>
__device__ void prepare(const DecodeAttentionArgs& args, int row, int kv_head,
                        Shared<T, kGroup, kDim>& shared) {
  const int dim = args.heads.head_dim;
  const int group = args.heads.query_heads / args.heads.kv_heads;
  const float scale = kLog2E / sqrtf(static_cast<float>(dim));
  const float* v = args.heads.v + row * args.heads.kv_stride + static_cast<std::int64_t>(kv_head) * dim;
  for (int d = static_cast<int>(threadIdx.x); d < kDim; d += kHeadThreads) {
#pragma unroll
    for (int head = 0; head < kGroup; ++head) {
      const float q = d < dim && head < group ? shared.heads.q[head][d] * scale : 0.0f;
      const T high = from_float<T>(q);
      shared.q_high[head][d] = high;
      shared.q_low[head][d] = from_float<T>(q - to_float(high));
    }
    shared.k[d] = from_float<T>(d < dim ? shared.heads.k[d] : 0.0f);
    shared.v[d] = from_float<T>(d < dim ? v[d] : 0.0f);
  }
  __syncthreads();
}

// --- a warp's pages: every kHeadWarps-th of its block's

// Pages that are on their way into the level-2 cache while one is being attended to.
constexpr int kPagesAhead = 3;

// All lanes ask for a page together.
template <int kDim>
__device__ void prefetch_page(const CacheView& cache, std::int32_t page) {
  constexpr int kLine = 128;
  constexpr int kMostBytes = 2 * kPageSlots * kDim * 2;
  const auto bytes = static_cast<int>(page_bytes(cache.head_dim));
  const std::byte* from = page_rows<std::byte>(cache, page);
#pragma unroll
  for (int first = 0; first < kMostBytes; first += kWarp * kLine) {
    const int offset = first + lane_index() * kLine;
    if (offset < bytes) prefetch(from + offset);
  }
}

// The ids of a warp's next pages, one per lane: a trip to the page table serves them all.
__device__ std::int32_t load_page_ids(const CacheView& cache, std::int64_t head, std::int32_t first,
                                      std::int32_t end) {
  const std::int32_t index = first + lane_index() * kHeadWarps;
  return index < end ? page_of(cache, head, index * kPageSlots) : kScratchPage;
}

__device__ std::int32_t first_page(const Split& split) {
  return split.begin / kPageSlots + warp_index();
}
__device__ std::int32_t end_page(const Split& split) {
  return (split.end + kPageSlots - 1) / kPageSlots;
}

// A warp's first pages, while the block waits for its predecessor. The split is a guess: the new token may
// yet take an old one's slot.
template <int kDim>
__device__ void prefetch_first_pages(const CacheView& cache, const HeadState& state) {
  const Split split = find_split(state.live + 1);
  const std::int32_t ids = load_page_ids(cache, state.head, first_page(split), end_page(split));
#pragma unroll
  for (int i = 0; i < kPagesAhead; ++i) {
    if (first_page(split) + i * kHeadWarps >= end_page(split)) return;
    prefetch_page<kDim>(cache, __shfl_sync(kAllLanes, ids, i));
  }
}

// A warp's running softmax over the pages it has seen. A lane holds the query heads 2t and 2t + 1 of scores,
// and of outputs, for all heads, the channels 2 * lane, 2 * lane + 1 of every 64.
template <typename T, int kGroup, int kDim>
class WarpAttention {
 public:
  __device__ WarpAttention(const CacheView& cache, std::int64_t head, const Entry& entry,
                           Shared<T, kGroup, kDim>& shared)
      : cache_(cache), head_(head), entry_(entry), shared_(shared) {}

  __device__ void add_pages(const Split& split) {
    constexpr int kAtOnce = kWarp - kPagesAhead;  // so that the ids of those ahead are there, too
    const std::int32_t end = end_page(split);
    for (std::int32_t first = first_page(split); first < end; first += kAtOnce * kHeadWarps) {
      const std::int32_t ids = load_page_ids(cache_, head_, first, end);
      for (int i = 0; i < kAtOnce; ++i) {
        const std::int32_t index = first + i * kHeadWarps;
        if (index >= end) break;
        prefetch_page<kDim>(cache_, __shfl_sync(kAllLanes, ids, i + kPagesAhead));
        add_page(index, __shfl_sync(kAllLanes, ids, i), split.end);
      }
    }
  }

  // Into shared memory, together with the other warps. The whole block.
  __device__ void merge();

 private:
  static constexpr int kSteps = kDim / 32;
  static constexpr int kPairs = kDim / 64;  // of channels per lane
  static constexpr float kNothing = -__builtin_huge_valf();

  // A page in registers.
  struct Page {
    uint4 low[kSteps], high[kSteps];  // keys of slots g and g + 8
    unsigned values[kPageSlots][kPairs];
  };

  __device__ void add_page(std::int32_t index, std::int32_t id, std::int32_t end) {
    const std::int32_t first = index * kPageSlots;
    const int valid = end - first < kPageSlots ? end - first : kPageSlots;
    const int own = entry_.slot - first;  // row of the new token, if it is one of this page's
    Page page;
    load(page_rows<T>(cache_, id), page);
    if (valid < kPageSlots || (own >= 0 && own < kPageSlots)) complete(valid, own, page);
    float scores[4] = {};
    add_scores(page, scores);
    const int g = lane_index() / 4;
    if (g >= valid) scores[0] = scores[1] = kNothing;
    if (g + 8 >= valid) scores[2] = scores[3] = kNothing;
    weigh(scores);
    add_values(page);
  }

  // All of it, also what slots without a token hold, so that every load is under way before the first is
  // waited for.
  __device__ void load(const T* rows, Page& page) const {
    const int dim = padded_head_dim(cache_.head_dim);
    const int g = lane_index() / 4;
    const int t = lane_index() % 4;
    const T* low = rows + g * dim + 8 * t;
    const T* high = low + 8 * dim;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const bool inside = 32 * step + 8 * t < dim;
      page.low[step] = inside ? *reinterpret_cast<const uint4*>(low + 32 * step) : uint4{};
      page.high[step] = inside ? *reinterpret_cast<const uint4*>(high + 32 * step) : uint4{};
    }
#pragma unroll
    for (int pair = 0; pair < kPairs; ++pair) {
      const int d = 64 * pair + 2 * lane_index();
      const T* from = rows + kPageSlots * dim + (d < dim ? d : 0);  // beyond dim nobody reads the outputs
#pragma unroll
      for (int i = 0; i < kPageSlots; ++i) {
        page.values[i][pair] = *reinterpret_cast<const unsigned*>(from + i * dim);
      }
    }
  }

  // The new token's key and value, which are not in the cache yet, and zeros for the values of slots without
  // a token, which may hold anything.
  __device__ void complete(int valid, int own, Page& page) const {
    const int g = lane_index() / 4;
    const int t = lane_index() % 4;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const uint4 key = *reinterpret_cast<const uint4*>(&shared_.k[32 * step + 8 * t]);
      if (g == own) page.low[step] = key;
      if (g + 8 == own) page.high[step] = key;
    }
#pragma unroll
    for (int pair = 0; pair < kPairs; ++pair) {
      const unsigned value = *reinterpret_cast<const unsigned*>(&shared_.v[64 * pair + 2 * lane_index()]);
#pragma unroll
      for (int i = 0; i < kPageSlots; ++i) {
        if (i >= valid) page.values[i][pair] = 0;
        if (i == own) page.values[i][pair] = value;
      }
    }
  }

  // The page's 16 keys are the 16-row operand, the query heads the 8-column one.
  __device__ void add_scores(const Page& page, float (&scores)[4]) const {
    const int g = lane_index() / 4;
    const int t = lane_index() % 4;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int d = 32 * step + 8 * t;
      uint4 q_high{}, q_low{};
      if (g < kGroup) {
        q_high = *reinterpret_cast<const uint4*>(&shared_.q_high[g][d]);
        q_low = *reinterpret_cast<const uint4*>(&shared_.q_low[g][d]);
      }
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const unsigned a[4] = {first_word(page.low[step], half), first_word(page.high[step], half),
                               second_word(page.low[step], half), second_word(page.high[step], half)};
        const unsigned b_high[2] = {first_word(q_high, half), second_word(q_high, half)};
        const unsigned b_low[2] = {first_word(q_low, half), second_word(q_low, half)};
        mma<T>(scores, a, b_low);
        mma<T>(scores, a, b_high);
      }
    }
  }

  // Scores of slots g (0, 1) and g + 8 (2, 3) for heads 2t and 2t + 1 into weights in shared memory.
  __device__ void weigh(const float (&scores)[4]) {
    const int g = lane_index() / 4;
    const int t = lane_index() % 4;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float largest = fmaxf(scores[i], scores[2 + i]);
#pragma unroll
      for (int step = 4; step < kWarp; step *= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, step));
      }
      const float max = fmaxf(max_[i], largest);
      const float rescale = exp2f(max_[i] - max);
      const float upper = exp2f(scores[i] - max);
      const float lower = exp2f(scores[2 + i] - max);
      sum_[i] = sum_[i] * rescale + upper + lower;
      max_[i] = max;
      const int head = 2 * t + i;
      if (head < kGroup) {
        shared_.weights[warp_index()][g][head] = upper;
        shared_.weights[warp_index()][g + 8][head] = lower;
        if (g == 0) shared_.rescale[warp_index()][head] = rescale;
      }
    }
    __syncwarp();
  }

  __device__ void add_values(const Page& page) {
#pragma unroll
    for (int head = 0; head < kGroup; ++head) {
      const float rescale = shared_.rescale[warp_index()][head];
#pragma unroll
      for (int pair = 0; pair < kPairs; ++pair)
        out_[head][pair][0] *= rescale, out_[head][pair][1] *= rescale;
    }
#pragma unroll
    for (int i = 0; i < kPageSlots; ++i) {
#pragma unroll
      for (int head = 0; head < kGroup; ++head) {
        const float weight = shared_.weights[warp_index()][i][head];
#pragma unroll
        for (int pair = 0; pair < kPairs; ++pair) {
          out_[head][pair][0] += weight * low_float<T>(page.values[i][pair]);
          out_[head][pair][1] += weight * high_float<T>(page.values[i][pair]);
        }
      }
    }
    __syncwarp();  // the weights may be overwritten
  }

  const CacheView& cache_;
  std::int64_t head_;
  Entry entry_;
  Shared<T, kGroup, kDim>& shared_;
  float max_[2] = {kNothing, kNothing};
  float sum_[2] = {};  // over this lane's slots
  float out_[kGroup][kPairs][2] = {};
};

template <typename T, int kGroup, int kDim>
__device__ void WarpAttention<T, kGroup, kDim>::merge() {
  const int t = lane_index() % 4;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    float sum = sum_[i];
#pragma unroll
    for (int step = 4; step < kWarp; step *= 2) sum += __shfl_xor_sync(kAllLanes, sum, step);
    if (lane_index() < 4 && 2 * t + i < kGroup) {
      shared_.maxima[warp_index()][2 * t + i] = max_[i];
      shared_.sums[warp_index()][2 * t + i] = sum;
    }
  }
  __syncthreads();
  float factor[kGroup];
#pragma unroll
  for (int head = 0; head < kGroup; ++head) {
    float max = kNothing;
    for (int warp = 0; warp < kHeadWarps; ++warp) max = fmaxf(max, shared_.maxima[warp][head]);
    float sum = 0;
    for (int warp = 0; warp < kHeadWarps; ++warp) {
      sum += shared_.sums[warp][head] * exp2f(shared_.maxima[warp][head] - max);
    }
    factor[head] = exp2f(shared_.maxima[warp_index()][head] - max);
    if (threadIdx.x == 0) shared_.max[head] = max, shared_.sum[head] = sum;
  }
  // One warp after the other: the same order every time.
  for (int warp = 0; warp < kHeadWarps; ++warp) {
    if (warp == warp_index()) {
#pragma unroll
      for (int head = 0; head < kGroup; ++head) {
#pragma unroll
        for (int i = 0; i < 2 * kPairs; ++i) {
          float& to = shared_.out[head][64 * (i / 2) + 2 * lane_index() + i % 2];
          const float value = out_[head][i / 2][i % 2] * factor[head];
          to = warp == 0 ? value : to + value;
        }
      }
    }
    __syncthreads();
  }
}

// --- the workspace: an arrival counter per (row, KV head), then each split's result

// At a place that does not depend on the batch: a smaller batch's results must not lie where a larger one
// counts.
constexpr std::int64_t kCounters = 65536;
constexpr std::int64_t kCountersBytes = kCounters * 4;

__host__ __device__ constexpr std::int64_t split_floats(int group, int head_dim) {
  return std::int64_t{group} * (head_dim + 2);  // max, sum, outputs
}

struct HeadWorkspace {
  std::int32_t* arrived;
  float* splits;
  std::int64_t stride;  // floats of a split

  __device__ HeadWorkspace(const DecodeAttentionArgs& args, int row, int kv_head) {
    const int group = args.heads.query_heads / args.heads.kv_heads;
    const std::int64_t head = static_cast<std::int64_t>(row) * args.heads.kv_heads + kv_head;
    stride = split_floats(group, args.heads.head_dim);
    arrived = reinterpret_cast<std::int32_t*>(args.workspace) + head;
    splits = reinterpret_cast<float*>(args.workspace + kCountersBytes) + head * args.splits * stride;
  }
};

template <typename T, int kGroup, int kDim>
__device__ void save_split(const DecodeAttentionArgs& args, const HeadWorkspace& workspace,
                           const Shared<T, kGroup, kDim>& shared) {
  const int group = args.heads.query_heads / args.heads.kv_heads;
  const int dim = args.heads.head_dim;
  float* to = workspace.splits + blockIdx.x * workspace.stride;
  for (int i = static_cast<int>(threadIdx.x); i < group * dim; i += kHeadThreads) {
    to[2 * group + i] = shared.out[i / dim][i % dim];
  }
  if (static_cast<int>(threadIdx.x) < group) {
    to[threadIdx.x] = shared.max[threadIdx.x];
    to[group + threadIdx.x] = shared.sum[threadIdx.x];
  }
}

// Whether every other block of the head has arrived: then their results can be read, and none reads the cache
// any more.
__device__ bool arrive(const HeadWorkspace& workspace, bool& last) {
  __syncthreads();
  if (threadIdx.x == 0) {
    last = count_arrival(workspace.arrived) == static_cast<std::int32_t>(gridDim.x) - 1;
    if (last) *workspace.arrived = 0;  // for the next launch
  }
  __syncthreads();
  return last;
}

// What each split's outputs count for, and each head's sum. A warp takes a head, a lane its splits.
template <typename T, int kGroup, int kDim>
__device__ void load_factors(const HeadWorkspace& workspace, int group, int used,
                             Shared<T, kGroup, kDim>& shared) {
  constexpr int kPerLane = kMostSplits / kWarp;
  for (int head = warp_index(); head < group; head += kHeadWarps) {
    float maxima[kPerLane], sums[kPerLane];
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) {
      const int split = i * kWarp + lane_index();
      const float* from = workspace.splits + split * workspace.stride + head;
      maxima[i] = split < used ? load_from_other_block(from) : -__builtin_huge_valf();
      sums[i] = split < used ? load_from_other_block(from + group) : 0.0f;
    }
    float max = maxima[0];
#pragma unroll
    for (int i = 1; i < kPerLane; ++i) max = fmaxf(max, maxima[i]);
    max = warp_max(max);
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) {
      const float factor = exp2f(maxima[i] - max);
      sum += sums[i] * factor;
      shared.factors[i * kWarp + lane_index()][head] = factor;
    }
    sum = warp_sum(sum);
    if (lane_index() == 0) shared.sum[head] = sum;
  }
  __syncthreads();
}

// The splits' results as one, in their order.
template <typename T, int kGroup, int kDim>
__device__ void load_splits(const DecodeAttentionArgs& args, const HeadWorkspace& workspace, int used,
                            Shared<T, kGroup, kDim>& shared) {
  const int group = args.heads.query_heads / args.heads.kv_heads;
  const int dim = args.heads.head_dim;
  load_factors(workspace, group, used, shared);
  for (int i = 2 * static_cast<int>(threadIdx.x); i < group * dim; i += 2 * kHeadThreads) {
    const int head = i / dim;
    const float* from = workspace.splits + 2 * group + i;
    float2 out{};
    const auto add = [&](const float2& value, int split) {
      const float factor = shared.factors[split][head];
      out.x += value.x * factor;
      out.y += value.y * factor;
    };
    constexpr int kAtOnce = 8;  // loads under way
    for (int first = 0; first < used; first += kAtOnce) {
      float2 values[kAtOnce] = {};
#pragma unroll
      for (int j = 0; j < kAtOnce; ++j) {
        if (first + j >= used) continue;
        const float* split = from + (first + j) * workspace.stride;
        values[j] = load_from_other_block(reinterpret_cast<const float2*>(split));
      }
#pragma unroll
      for (int j = 0; j < kAtOnce; ++j) {
        if (first + j < used) add(values[j], first + j);
      }
    }
    shared.out[head][i % dim] = out.x;
    shared.out[head][i % dim + 1] = out.y;
  }
  __syncthreads();
}

// One value of a row's attended values.
template <typename T>
__device__ void store_value(const DecodeAttentionArgs& args, int row, std::int64_t index, float value) {
  if (args.out_dtype == DType::f32) {
    static_cast<float*>(args.out)[row * args.out_stride + index] = value;
  } else {
    static_cast<T*>(args.out)[row * args.out_stride + index] = from_float<T>(value);
  }
}

template <typename T, int kGroup, int kDim>
__device__ void store_out(const DecodeAttentionArgs& args, int row, int kv_head,
                          const Shared<T, kGroup, kDim>& shared) {
  const int dim = args.heads.head_dim;
  const int width = args.heads.query_heads / args.heads.kv_heads * dim;
  for (int i = static_cast<int>(threadIdx.x); i < width; i += kHeadThreads) {
    store_value<T>(args, row, kv_head * width + i, shared.out[i / dim][i % dim] / shared.sum[i / dim]);
  }
}

// A row that stands for no sequence gets zeros, so that what follows computes with numbers.
template <typename T>
__device__ void store_padding(const DecodeAttentionArgs& args, int row, int kv_head) {
  if (blockIdx.x != 0) return;
  const int width = args.heads.query_heads / args.heads.kv_heads * args.heads.head_dim;
  for (int i = static_cast<int>(threadIdx.x); i < width; i += kHeadThreads) {
    store_value<T>(args, row, kv_head * width + i, 0.0f);
  }
  if (threadIdx.x == 0) {
    report(args.decisions, kv_head, row, {0.0f, false});
    args.decisions.live_at[kv_head * args.decisions.stride + row] = 0;
  }
}

// The head's state after the step; `page` is the new token's. One thread.
__device__ void update_state(const CacheView& cache, const HeadState& state, const Entry& entry,
                             std::int32_t page, std::int32_t lag, bool marked) {
  cache.live[state.head] = entry.live;
  if (cache.ring_size == 0) return;
  const bool own = lag == 0 && marked;
  *ring_entry(cache, state.head, state.position) = entry_of(entry.slot, own);
  *last_query_in(cache, page, entry.slot) = own ? leaves_at(cache, state.position) : kEveryQuery;
  if (lag == 1 && marked && state.position > 0 && cache.ring_size > 1) {
    std::int32_t& before = *ring_entry(cache, state.head, state.position - 1);
    before |= 1;
    *last_query_of(cache, state.head, slot_of(before)) = leaves_at(cache, state.position - 1);
  }
}

// `page`: the new token's, which the cache may still have to provide.
template <typename T, int kGroup, int kDim>
__device__ void commit(const DecodeAttentionArgs& args, int row, int kv_head, const HeadState& state,
                       const Entry& entry, std::int32_t page, const Decision& decision,
                       Shared<T, kGroup, kDim>& shared) {
  const CacheView& cache = args.cache;
  if (entry.appended && entry.slot % kPageSlots == 0) {
    if (threadIdx.x == 0) {
      provide_page(cache, state.head, entry.slot);
      shared.page = page_of(cache, state.head, entry.slot);
    }
    __syncthreads();
    page = shared.page;
  }
  const int stride = padded_head_dim(cache.head_dim);
  T* key = page_rows<T>(cache, page) + entry.slot % kPageSlots * stride;
  for (int d = static_cast<int>(threadIdx.x); d < stride; d += kHeadThreads) {
    key[d] = shared.k[d];
    key[kPageSlots * stride + d] = shared.v[d];
  }
  if (threadIdx.x != 0) return;
  update_state(cache, state, entry, page, args.heads.gate.lag, decision.marked);
  report(args.decisions, kv_head, row, decision);
  args.decisions.live_at[kv_head * args.decisions.stride + row] = entry.live;
}

// Blocks that shall fit on a multiprocessor: what its registers hold when a page is loaded all at once and
// nothing spills.
constexpr int blocks_wanted(int group, int dim) {
  if (dim <= 64) return group <= 4 ? 5 : 4;
  if (dim <= 128) return group <= 4 ? 4 : 3;
  return 2;
}

template <typename T, int kGroup, int kDim>
__global__ void __launch_bounds__(kHeadThreads, blocks_wanted(kGroup, kDim))
    decode_attention_kernel(const DecodeAttentionArgs args) {
  __shared__ Shared<T, kGroup, kDim> shared;
  const int row = static_cast<int>(blockIdx.z);
  const int kv_head = static_cast<int>(blockIdx.y);
  let_successor_start();
  // What only the steps before have written is there already (DecodeAttentionArgs::pdl).
  const int sequence_slot = args.sequence_slots[row];
  HeadState state{};
  if (sequence_slot >= 0) {
    state = read_state(args, row, kv_head, sequence_slot);
    prefetch_first_pages<kDim>(args.cache, state);
  }
  wait_for_predecessor();
  if (sequence_slot < 0) return store_padding<T>(args, row, kv_head);

  finish_heads(args.heads, row, kv_head, state.position, shared.heads);
  prepare(args, row, kv_head, shared);
  const Decision decision = judge(args.heads.gate, shared.heads, state.position);
  const Entry entry = find_entry(args.cache, state, args.heads.gate.lag, decision.marked);
  const std::int32_t page_of_entry = page_of(args.cache, state.head, entry.slot);  // early, for commit
  const Split split = find_split(entry.live);

  if (split.begin < split.end) {
    WarpAttention<T, kGroup, kDim> attention(args.cache, state.head, entry, shared);
    attention.add_pages(split);
    attention.merge();
  }
  if (gridDim.x > 1) {
    const HeadWorkspace workspace(args, row, kv_head);
    if (split.begin < split.end) save_split(args, workspace, shared);
    if (!arrive(workspace, shared.last)) return;
    const std::int32_t share = split_share(entry.live);
    load_splits(args, workspace, (entry.live + share - 1) / share, shared);
  }
  store_out(args, row, kv_head, shared);
  commit(args, row, kv_head, state, entry, page_of_entry, decision, shared);
}

using Kernel = void (*)(DecodeAttentionArgs);

template <typename T, int kGroup>
Kernel kernel_of_group(int head_dim) {
  if (head_dim <= 64) return decode_attention_kernel<T, kGroup, 64>;
  if (head_dim <= 128) return decode_attention_kernel<T, kGroup, 128>;
  return decode_attention_kernel<T, kGroup, 256>;
}

template <typename T>
Kernel kernel_of_type(int group, int head_dim) {
  if (group == 1) return kernel_of_group<T, 1>(head_dim);
  if (group == 2) return kernel_of_group<T, 2>(head_dim);
  if (group <= 4) return kernel_of_group<T, 4>(head_dim);
  return kernel_of_group<T, 8>(head_dim);
}

Kernel kernel_of(DType dtype, int group, int head_dim) {
  Kernel kernel = nullptr;
  with_element(dtype, [&](auto element) { kernel = kernel_of_type<decltype(element)>(group, head_dim); });
  return kernel;
}

}  // namespace

std::size_t decode_workspace_bytes(int rows, int query_heads, int kv_heads, int head_dim, int splits) {
  const std::int64_t floats = split_floats(query_heads / kv_heads, head_dim) * rows * kv_heads * splits;
  return static_cast<std::size_t>(kCountersBytes + 4 * floats);
}

int decode_blocks_at_once(int multiprocessors, DType dtype, int query_heads, int kv_heads, int head_dim) {
  const Kernel kernel = kernel_of(dtype, query_heads / kv_heads, head_dim);
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, reinterpret_cast<const void*>(kernel),
                                                      kHeadThreads, 0),
        "ask how many blocks of a kernel fit");
  return blocks * multiprocessors;
}

int decode_splits(int blocks_at_once, int rows, int kv_heads, std::int64_t max_live) {
  // Rounded down: a few blocks that have to wait for others to end would double the time.
  const std::int64_t fitting = blocks_at_once / (std::int64_t{rows} * kv_heads);
  const std::int64_t useful = (max_live + kMinSplitSlots - 1) / kMinSplitSlots;
  const std::int64_t splits = std::min({fitting, useful, std::int64_t{kMostSplits}});
  return splits > 1 ? static_cast<int>(splits) : 1;
}

void launch_decode_attention(const DecodeAttentionArgs& args, StreamHandle stream) {
  if (args.heads.rows == 0) return;
  check_heads(args.heads);
  if (std::int64_t{args.heads.rows} * args.heads.kv_heads > kCounters) {
    throw std::invalid_argument("CUDA attention takes batches of up to 65536 rows times KV heads");
  }
  if (args.splits < 1 || args.splits > kMostSplits) {
    throw std::invalid_argument("CUDA attention takes from 1 to 64 splits");
  }
  const LaunchShape shape{{static_cast<unsigned>(args.splits), static_cast<unsigned>(args.heads.kv_heads),
                           static_cast<unsigned>(args.heads.rows)},
                          kHeadThreads,
                          0,
                          args.pdl};
  const int group = args.heads.query_heads / args.heads.kv_heads;
  launch(kernel_of(args.cache.dtype, group, args.heads.head_dim), shape, stream, args);
}

}  // namespace kernels::cuda
