#include "kernels/cuda/sampling.hpp"

#include <bit>
#include <cmath>

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

// --- the likeliest
//
// Several blocks share a row: one multiprocessor alone does not get a row of logits from memory quickly.

constexpr int kScanThreads = 256;
constexpr int kScanWords = 8;  // of 16 bytes, all asked for before the first is looked at
constexpr int kScanTokens = kScanThreads * kScanWords * 4;  // of a block

// The larger, the better: by logit, and of equal logits the smaller token. 0 is no token.
using Rank = unsigned long long;

__device__ Rank rank_of(float logit, int token) {
  const unsigned bits = __float_as_uint(logit + 0.0f);  // -0 is as good as 0
  const unsigned ordered = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return Rank{ordered} << 32 | ~static_cast<unsigned>(token);
}

// The rank is not 0.
__device__ int token_of(Rank rank) {
  return static_cast<int>(~static_cast<unsigned>(rank));
}

__device__ Rank better(Rank a, Rank b) {
  return a > b ? a : b;
}

__device__ Rank warp_best(Rank rank) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) {
    rank = better(rank, __shfl_xor_sync(kAllLanes, rank, step));
  }
  return rank;
}

// Token `first` + scan_token(i) of a block's is this thread's value i.
__device__ int scan_token(int i) {
  return (i / 4 * kScanThreads + static_cast<int>(threadIdx.x)) * 4 + i % 4;
}

// This thread's logits of the block's that begin at `logits`; `count` may be fewer than a block takes.
__device__ void load_scan(const float* logits, int count, float (&values)[4 * kScanWords]) {
  if (count >= kScanTokens && reinterpret_cast<std::uintptr_t>(logits) % 16 == 0) {
#pragma unroll
    for (int i = 0; i < kScanWords; ++i) {
      const float4 four = *reinterpret_cast<const float4*>(logits + scan_token(4 * i));
      values[4 * i] = four.x, values[4 * i + 1] = four.y;
      values[4 * i + 2] = four.z, values[4 * i + 3] = four.w;
    }
    return;
  }
#pragma unroll
  for (int i = 0; i < 4 * kScanWords; ++i) {
    values[i] = scan_token(i) < count ? logits[scan_token(i)] : __builtin_nanf("");
  }
}

// The best of this thread's, without a branch: fmaxf passes over NaN, and a search from the end finds the
// first.
__device__ Rank scan(const float* row, int first, int vocab) {
  float values[4 * kScanWords];
  load_scan(row + first, vocab - first, values);
  float largest = values[0];
#pragma unroll
  for (int i = 1; i < 4 * kScanWords; ++i) largest = fmaxf(largest, values[i]);
  int token = -1;  // stays if all are NaN, which equal nothing
#pragma unroll
  for (int i = 4 * kScanWords - 1; i >= 0; --i) token = values[i] == largest ? scan_token(i) : token;
  return token < 0 ? 0 : rank_of(largest, first + token);
}

// What the blocks of a row tell each other.
struct RowBest {
  Rank best;
  unsigned arrived;
};

__global__ void __launch_bounds__(kScanThreads) argmax_kernel(const ArgmaxArgs args) {
  constexpr int kWarps = kScanThreads / kWarp;
  __shared__ Rank scratch[kWarps];
  const unsigned row = blockIdx.y;
  wait_for_predecessor();
  Rank best = scan(args.logits + row * args.stride, static_cast<int>(blockIdx.x) * kScanTokens, args.vocab);
  best = warp_best(best);
  if (lane_index() == 0) scratch[warp_index()] = best;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int warp = 1; warp < kWarps; ++warp) best = better(best, scratch[warp]);
  RowBest& shared = reinterpret_cast<RowBest*>(args.workspace)[row];
  atomicMax(&shared.best, best);
  __threadfence();  // the other blocks find this rank once they find this arrival
  if (atomicAdd(&shared.arrived, 1u) != gridDim.x - 1) return;
  __threadfence();
  best = atomicMax(&shared.best, Rank{0});  // changes nothing: a load that no cache answers
  args.tokens[row] = best == 0 ? 0 : token_of(best);
  shared = {};  // for the next launch
}

// --- weights
//
// A row of them is padded with zeros, so that whole blocks of threads can read whole words.

constexpr int kDrawThreads = 1024;
constexpr int kDrawWords = 4;  // of 16 bytes, all asked for before the first is looked at
constexpr int kWeightPadding = kDrawThreads * kDrawWords * 4;
constexpr int kWeighThreads = 256;

__host__ __device__ constexpr std::int64_t padded_weights(int vocab) {
  return (std::int64_t{vocab} + kWeightPadding - 1) / kWeightPadding * kWeightPadding;
}

// A row that holds a largest logit of infinity, or nothing but NaN, gets nothing but zeros.
__global__ void __launch_bounds__(kWeighThreads) weigh_kernel(const SampleArgs args) {
  // Tokens that are never drawn in a lifetime weigh nothing.
  constexpr float kNegligible = 30;
  const unsigned row = blockIdx.y;
  const float temperature = args.temperature[row];
  if (!(temperature > 0)) return;
  const float* logits = args.logits + row * args.stride;
  const float largest = logits[args.tokens[row]];
  const int first = static_cast<int>(blockIdx.x * kWeighThreads + threadIdx.x) * 4;
  float values[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    values[i] = first + i < args.vocab ? logits[first + i] : __builtin_nanf("");
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float scaled = (values[i] - largest) / temperature;
    values[i] = scaled > -kNegligible ? expf(scaled) : 0.0f;
  }
  float* to = args.weights + row * padded_weights(args.vocab) + first;
  *reinterpret_cast<float4*>(to) = make_float4(values[0], values[1], values[2], values[3]);
}

// --- drawing
//
// Everything that sorting would be asked is one question: in the order of candidates, with which one does the
// sum of their amounts first reach a number? It is answered digit by digit: a histogram of the amounts by the
// order's highest digit tells that digit of the answer, one of the candidates that have this digit the next.
// Amounts are whole numbers, so that sums do not depend on the order in which they are taken. Few candidates
// are copied into shared memory and looked for there.

using Amount = unsigned long long;

// A candidate and its place: the larger, the earlier. The weight's bits (non-negative floats are in the order
// of their bits), below them the complement of the token, for the smaller one comes first. 0 is none.
using Item = unsigned long long;

constexpr int kWeightBits = 30;  // of floats up to 1
constexpr int kDigitBits = 8;
constexpr int kBins = 1 << kDigitBits;
constexpr int kHistograms = 8;       // neighbouring lanes use different ones, as many weights share a digit
constexpr int kListItems = 3 << 10;  // all that fit into 48 KiB

enum class Order : std::uint8_t { by_weight, by_token };
enum class Measure : std::uint8_t { count, weight };

// With which candidate the sum of amounts first reaches `count` of them (all, if there are no more), a share
// of their weight, or, for the draw, more than a share.
struct Question {
  Order order = Order::by_weight;
  Measure measure = Measure::weight;
  Amount count = 0;
  double share = 1;
  bool exceeds = false;

  // 0 if it is not asked: there is nothing, or everything is kept.
  __device__ Amount wanted(Amount all) const {
    if (measure == Measure::count) return all > count ? count : 0;
    const double exact = share * static_cast<double>(all);
    if (all == 0 || exact >= static_cast<double>(all)) return all;
    const Amount whole = static_cast<Amount>(exceeds ? floor(exact) : ceil(exact)) + (exceeds ? 1 : 0);
    return whole < 1 ? 1 : whole < all ? whole : all;
  }
};

struct DrawShared {
  Amount histograms[kHistograms][kBins + 1];  // one more: equal digits lie on different banks
  Amount bins[kBins];
  Item list[kListItems];
  int matched;  // candidates with the digits known so far
  Item one;     // one of them
  // The answer's next digit: what is asked for (0: nothing), the amount before it, and `matched`.
  struct {
    Amount wanted, before;
    unsigned bin;
    int matched;
  } pick;
};

// What candidates are searched: of the row, or of the list.
struct Source {
  bool listed = false;
  int count = 0;
};

struct Items {
  int token_bits;
  float units;  // of a weight of 1
  __device__ Item mask() const { return (Item{1} << token_bits) - 1; }
  __device__ Item item(float weight, int token) const {
    const Item bits = Item{__float_as_uint(weight)} << token_bits;
    return weight > 0 ? bits | (mask() - static_cast<Item>(token)) : 0;
  }
  __device__ int token(Item item) const { return static_cast<int>(mask() - (item & mask())); }
  __device__ Item key(Item item, Order order) const {
    return order == Order::by_weight ? item : item & mask();
  }
  __device__ int key_bits(Order order) const {
    return order == Order::by_weight ? kWeightBits + token_bits : token_bits;
  }
  __device__ Amount amount(Item item, Measure measure) const {
    const float weight = __uint_as_float(static_cast<unsigned>(item >> token_bits));
    return measure == Measure::count ? 1 : static_cast<Amount>(weight * units);
  }
};

class Drawing {
 public:
  __device__ Drawing(DrawShared& shared, const float* weights, std::int64_t padded, const Items& items)
      : shared_(shared), weights_(weights), padded_(padded), items_(items) {}

  // 0 where nothing is asked. In Order::by_token only the token is given.
  __device__ Item answer(const Question& question);

  // No candidates after this one any more.
  __device__ void keep_until(Item last) { last_ = last; }

 private:
  struct Digit {
    Item prefix;  // the digits before
    int shift;    // bits behind
    bool all;     // nothing is known yet that would tell any candidates apart
  };

  __device__ void clear();
  template <typename Visit>
  __device__ void visit_items(const Source& source, const Visit& visit) const;
  __device__ void take(Item item, const Question& question, const Digit& digit, const Source& source);
  __device__ void remember(bool matches, Item item, const Source& source);
  __device__ void add_histograms();
  __device__ void pick(const Question& question, bool first, Amount wanted, Amount before);

  DrawShared& shared_;
  const float* weights_;
  std::int64_t padded_;
  Items items_;
  Source kept_;  // where all candidates are found
  Item last_ = 1;
};

__device__ void Drawing::clear() {
  Amount* all = &shared_.histograms[0][0];
  for (int i = static_cast<int>(threadIdx.x); i < kHistograms * (kBins + 1); i += kDrawThreads) all[i] = 0;
  if (threadIdx.x == 0) shared_.matched = 0;
  __syncthreads();
}

// All threads of a warp visit equally often; 0 where nothing is left.
template <typename Visit>
__device__ void Drawing::visit_items(const Source& source, const Visit& visit) const {
  const int thread = static_cast<int>(threadIdx.x);
  if (source.listed) {
    for (int first = 0; first < source.count; first += kDrawThreads) {
      visit(first + thread < source.count ? shared_.list[first + thread] : 0);
    }
    return;
  }
  const float4* words = reinterpret_cast<const float4*>(weights_);
  for (int first = thread; first < padded_ / 4; first += kDrawThreads * kDrawWords) {
    float4 batch[kDrawWords];
#pragma unroll
    for (int i = 0; i < kDrawWords; ++i) batch[i] = words[first + i * kDrawThreads];
#pragma unroll
    for (int i = 0; i < kDrawWords; ++i) {
      const int token = 4 * (first + i * kDrawThreads);
      visit(items_.item(batch[i].x, token));
      visit(items_.item(batch[i].y, token + 1));
      visit(items_.item(batch[i].z, token + 2));
      visit(items_.item(batch[i].w, token + 3));
    }
  }
}

__device__ void Drawing::take(Item item, const Question& question, const Digit& digit, const Source& source) {
  const Item key = items_.key(item, question.order) >> digit.shift;
  const bool matches = item >= last_ && key >> kDigitBits == digit.prefix;
  if (!digit.all) remember(matches, item, source);
  if (matches) {
    atomicAdd(&shared_.histograms[lane_index() % kHistograms][key % kBins],
              items_.amount(item, question.measure));
  }
}

// Counts the matching candidates; the row's go to the list while there is room. The whole warp.
__device__ void Drawing::remember(bool matches, Item item, const Source& source) {
  const unsigned votes = __ballot_sync(kAllLanes, matches ? 1 : 0);
  if (votes == 0) return;
  const int lane = lane_index();
  int before = 0;
  if (lane == 0) before = atomicAdd(&shared_.matched, __popc(votes));
  before = __shfl_sync(kAllLanes, before, 0) + __popc(votes & ((1u << lane) - 1u));
  if (!matches) return;
  if (before == 0) shared_.one = item;
  if (!source.listed && before < kListItems) shared_.list[before] = item;
}

__device__ void Drawing::add_histograms() {
  __syncthreads();
  const int bin = static_cast<int>(threadIdx.x);
  if (bin < kBins) {
    Amount sum = 0;
#pragma unroll
    for (int i = 0; i < kHistograms; ++i) sum += shared_.histograms[i][bin];
    shared_.bins[bin] = sum;
  }
  __syncthreads();
}

// One warp. `before` has been reached without these bins.
__device__ void Drawing::pick(const Question& question, bool first, Amount wanted, Amount before) {
  constexpr int kLaneBins = kBins / kWarp;
  const int lane = lane_index();
  int bin = kBins - 1 - lane * kLaneBins;  // the earliest candidates have the highest digits
  Amount own = 0;
  for (int i = 0; i < kLaneBins; ++i) own += shared_.bins[bin - i];
  Amount until = own;
#pragma unroll
  for (int step = 1; step < kWarp; step *= 2) {
    const Amount other = __shfl_up_sync(kAllLanes, until, step);
    if (lane >= step) until += other;
  }
  const Amount all = __shfl_sync(kAllLanes, until, kWarp - 1);
  if (first) wanted = question.wanted(all);
  if (lane == 0) shared_.pick.wanted = wanted, shared_.pick.matched = shared_.matched;
  before += until - own;
  if (wanted <= before || wanted > before + own) return;  // not in this lane's bins
  for (; before + shared_.bins[bin] < wanted; --bin) before += shared_.bins[bin];
  shared_.pick.bin = static_cast<unsigned>(bin);
  shared_.pick.before = before;
}

__device__ Item Drawing::answer(const Question& question) {
  const int digits = (items_.key_bits(question.order) + kDigitBits - 1) / kDigitBits;
  Source source = kept_;
  Item prefix = 0;
  Amount before = 0;
  Amount wanted = 0;
  for (int left = digits - 1; left >= 0; --left) {
    const bool first = left == digits - 1;
    const Digit digit{prefix, left * kDigitBits, first && last_ == 1};
    clear();
    visit_items(source, [&](Item item) { take(item, question, digit, source); });
    add_histograms();
    if (warp_index() == 0) pick(question, first, wanted, before);
    __syncthreads();
    const auto found = shared_.pick;
    if (found.wanted == 0) return 0;
    wanted = found.wanted;
    before = found.before;
    prefix = prefix << kDigitBits | found.bin;
    if (digit.all) continue;
    if (found.matched == 1) return shared_.one;
    if (!source.listed && found.matched <= kListItems) {
      source = {true, found.matched};
      if (first) kept_ = source;
    }
  }
  return prefix;
}

// SplitMix64 (Steele, Lea, Flood 2014), as engine/session/sampler.cpp steps it.
__device__ double next_uniform(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// Top-k, then top-p, then the token that is drawn: in the order of ids, or the likeliest first where anything
// may have been cut off, which is the order in which the host's sampler has its candidates.
__global__ void __launch_bounds__(kDrawThreads) draw_kernel(const SampleArgs args, const Items items) {
  __shared__ DrawShared shared;
  const unsigned row = blockIdx.x;
  if (!(args.temperature[row] > 0)) return;
  const std::int32_t top_k = args.top_k[row];
  const double top_p = args.top_p[row];
  std::uint64_t state = args.random[row];
  const double uniform = next_uniform(state);
  const std::int64_t padded = padded_weights(args.vocab);
  Drawing drawing(shared, args.weights + row * padded, padded, items);
  bool cut = false;
  Item item = 0;
#pragma unroll 1  // one copy of all that asking takes
  for (int step = 0; step < 3; ++step) {
    Question question;
    if (step == 0) {
      if (top_k <= 0) continue;
      question.measure = Measure::count;
      question.count = static_cast<Amount>(top_k);
    } else if (step == 1) {
      if (top_p >= 1) continue;
      question.share = top_p;
    } else {
      question.order = cut ? Order::by_weight : Order::by_token;
      question.share = uniform;
      question.exceeds = true;
    }
    item = drawing.answer(question);
    if (item == 0) continue;
    drawing.keep_until(item);
    cut = true;
  }
  if (threadIdx.x != 0 || item == 0) return;
  args.tokens[row] = items.token(item);
  args.random[row] = state;
}

}  // namespace

std::size_t argmax_workspace_bytes(int rows) {
  return static_cast<std::size_t>(rows) * sizeof(RowBest);
}

void launch_argmax(const ArgmaxArgs& args, StreamHandle stream) {
  if (args.rows == 0) return;
  const dim3 grid(blocks_for(args.vocab, kScanTokens), static_cast<unsigned>(args.rows));
  launch(argmax_kernel, {grid, kScanThreads, 0, args.pdl}, stream, args);
}

std::size_t sample_weights(int vocab) {
  return static_cast<std::size_t>(padded_weights(vocab));
}

void launch_sample(const SampleArgs& args, StreamHandle stream) {
  if (args.rows == 0) return;
  launch_argmax({args.logits, args.stride, args.rows, args.vocab, args.workspace, args.tokens}, stream);
  const auto rows = static_cast<unsigned>(args.rows);
  const dim3 grid(blocks_for(padded_weights(args.vocab), kWeighThreads * 4), rows);
  launch(weigh_kernel, {grid, kWeighThreads}, stream, args);
  const int token_bits = std::bit_width(static_cast<unsigned>(args.vocab));
  // A row of largest weights sums to less than 2^63.
  const Items items{token_bits, std::ldexp(1.0f, 63 - token_bits)};
  launch(draw_kernel, {rows, kDrawThreads}, stream, args, items);
}

}  // namespace kernels::cuda
