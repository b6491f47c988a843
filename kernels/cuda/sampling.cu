#include "kernels/cuda/sampling.hpp"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

constexpr int kThreads = 1024;  // of a row
constexpr int kWarps = kThreads / kWarp;

// --- the likeliest

struct Candidate {
  float logit;
  std::int32_t token;
};

__device__ Candidate better(const Candidate& a, const Candidate& b) {
  const bool first = a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
  return first ? a : b;
}

__device__ Candidate warp_best(Candidate mine) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const Candidate other{__shfl_xor_sync(kAllLanes, mine.logit, step),
                          __shfl_xor_sync(kAllLanes, mine.token, step)};
    mine = better(mine, other);
  }
  return mine;
}

__device__ Candidate better(const Candidate& best, float logit, std::int32_t token) {
  return isnan(logit) ? best : better(best, Candidate{logit, token});
}

// This thread's share. One block must take in a whole row quickly: loads of 16 bytes, several at once.
__device__ Candidate scan(const float* logits, int vocab, Candidate best) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(logits) % 16 == 0;
  const int words = aligned ? vocab / 4 : 0;
#pragma unroll 8
  for (int i = static_cast<int>(threadIdx.x); i < words; i += kThreads) {
    const float4 four = reinterpret_cast<const float4*>(logits)[i];
    best = better(best, four.x, 4 * i);
    best = better(best, four.y, 4 * i + 1);
    best = better(best, four.z, 4 * i + 2);
    best = better(best, four.w, 4 * i + 3);
  }
  for (int token = 4 * words + static_cast<int>(threadIdx.x); token < vocab; token += kThreads) {
    best = better(best, logits[token], token);
  }
  return best;
}

// Every thread gets it.
__device__ Candidate likeliest(const float* logits, int vocab) {
  __shared__ Candidate scratch[kWarps];
  // Where there is nothing but NaN, token 0.
  Candidate best = scan(logits, vocab, {-__builtin_huge_valf(), vocab});
  best = warp_best(best);
  if (lane_index() == 0) scratch[warp_index()] = best;
  __syncthreads();
  best = warp_best(scratch[lane_index()]);
  if (best.token == vocab) best.token = 0;
  return best;
}

__global__ void __launch_bounds__(kThreads) argmax_kernel(const ArgmaxArgs args) {
  wait_for_predecessor();
  const Candidate best = likeliest(args.logits + blockIdx.x * args.stride, args.vocab);
  if (threadIdx.x == 0) args.tokens[blockIdx.x] = best.token;
}

// --- drawing
//
// Weights are not sorted: what sorting would be asked (the k-th largest weight, the weight at which the sum
// of the larger ones passes a target) is found bit by bit, each bit with one pass over the row. Non-negative
// floats are in the order of their bits.

__device__ double block_total(double value) {
  __shared__ double scratch[kWarps];
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  if (lane_index() == 0) scratch[warp_index()] = value;
  __syncthreads();
  double total = scratch[lane_index()];
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) total += __shfl_xor_sync(kAllLanes, total, step);
  __syncthreads();
  return total;
}

// The tokens still in: weights above the last one's, and equal ones up to its id.
struct Kept {
  float weight = 0;
  std::int32_t last_token = 0x7fffffff;
  __device__ bool has(float w, std::int32_t token) const {
    return w > weight || (w == weight && w > 0 && token <= last_token);
  }
};

class Row {
 public:
  __device__ Row(const float* weights, int vocab) : weights_(weights), vocab_(vocab) {}

  // Sum of value(weight) over the kept tokens for which counts(weight, token).
  template <typename Counts, typename Value>
  __device__ double sum(const Kept& kept, const Counts& counts, const Value& value) const {
    double own = 0;
    for (std::int32_t token = static_cast<std::int32_t>(threadIdx.x); token < vocab_; token += kThreads) {
      const float weight = weights_[token];
      if (kept.has(weight, token) && counts(weight, token)) own += value(weight);
    }
    return block_total(own);
  }

  // The largest weight such that the kept tokens of at least that weight reach: reaches(their sum of value).
  template <typename Value, typename Reaches>
  __device__ float border(const Kept& kept, const Value& value, const Reaches& reaches) const {
    unsigned bits = 0;
    for (int bit = 30; bit >= 0; --bit) {
      const float candidate = __uint_as_float(bits | (1u << bit));
      const double total = sum(
          kept, [=](float weight, std::int32_t) { return weight >= candidate; }, value);
      if (reaches(total)) bits |= 1u << bit;
    }
    return __uint_as_float(bits);
  }

  // The first token such that the kept ones up to it for which counts(weight) reach: reaches(their sum of
  // value).
  template <typename Counts, typename Value, typename Reaches>
  __device__ std::int32_t first_token(const Kept& kept, const Counts& counts, const Value& value,
                                      const Reaches& reaches) const {
    std::int32_t low = 0;
    std::int32_t high = vocab_ - 1;  // reaches, or nothing does
    while (low < high) {
      const std::int32_t middle = low + (high - low) / 2;
      const double total = sum(
          kept, [=](float weight, std::int32_t token) { return counts(weight) && token <= middle; }, value);
      if (reaches(total)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  // The n-th (from 1) kept token of exactly this weight.
  __device__ std::int32_t nth_equal(const Kept& kept, float weight, double n) const {
    return first_token(
        kept, [=](float w) { return w == weight; }, One{}, [=](double count) { return count >= n; });
  }

  struct One {
    __device__ double operator()(float) const { return 1; }
  };
  struct Weight {
    __device__ double operator()(float weight) const { return static_cast<double>(weight); }
  };
  struct Any {
    __device__ bool operator()(float, std::int32_t) const { return true; }
  };

  __device__ double above(const Kept& kept, float border, bool count) const {
    const auto larger = [=](float weight, std::int32_t) { return weight > border; };
    return count ? sum(kept, larger, One{}) : sum(kept, larger, Weight{});
  }

 private:
  const float* weights_;
  int vocab_;
};

__device__ Kept keep_top_k(const Row& row, std::int32_t k) {
  Kept kept;
  if (k <= 0 || row.sum(kept, Row::Any{}, Row::One{}) <= k) return kept;
  const float weight = row.border(kept, Row::One{}, [=](double count) { return count >= k; });
  const std::int32_t last = row.nth_equal(kept, weight, k - row.above(kept, weight, true));
  return {weight, last};
}

__device__ Kept keep_top_p(const Row& row, const Kept& kept, double top_p) {
  if (top_p >= 1) return kept;
  const double wanted = top_p * row.sum(kept, Row::Any{}, Row::Weight{});
  const float weight = row.border(kept, Row::Weight{}, [=](double sum) { return sum >= wanted; });
  if (weight <= 0) return kept;  // p so near to 1 that rounding decides
  const double missing = ceil((wanted - row.above(kept, weight, false)) / static_cast<double>(weight));
  return {weight, row.nth_equal(kept, weight, missing > 1 ? missing : 1)};
}

// SplitMix64 (Steele, Lea, Flood 2014), as engine/session/sampler.cpp steps it.
__device__ double next_uniform(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// In the order of ids, or the likeliest first where anything was cut off: the order in which the host's
// sampler has its candidates.
__device__ std::int32_t draw(const Row& row, const Kept& kept, double uniform, bool sorted) {
  const double target = uniform * row.sum(kept, Row::Any{}, Row::Weight{});
  const auto passes = [=](double sum) { return sum > target; };
  if (!sorted)
    return row.first_token(
        kept, [](float) { return true; }, Row::Weight{}, passes);
  const float weight = row.border(kept, Row::Weight{}, passes);
  const double before = row.above(kept, weight, false);
  const double equals = floor((target - before) / static_cast<double>(weight));
  return row.nth_equal(kept, weight, (equals > 0 ? equals : 0) + 1);
}

__global__ void __launch_bounds__(kThreads) sample_kernel(const SampleArgs args) {
  const unsigned index = blockIdx.x;
  const float* logits = args.logits + index * args.stride;
  float* weights = args.weights + index * args.stride;
  const Candidate best = likeliest(logits, args.vocab);
  const float temperature = args.temperature[index];
  std::int32_t token = best.token;
  if (temperature > 0 && best.logit > -__builtin_huge_valf()) {
    // Tokens that are never drawn in a lifetime weigh nothing.
    constexpr float kNegligible = 30;
    for (int i = static_cast<int>(threadIdx.x); i < args.vocab; i += kThreads) {
      const float scaled = (logits[i] - best.logit) / temperature;
      weights[i] = scaled > -kNegligible ? expf(scaled) : 0.0f;
    }
    __syncthreads();
    const Row row(weights, args.vocab);
    const Kept likely = keep_top_k(row, args.top_k[index]);
    const bool cut = likely.weight > 0 || args.top_p[index] < 1;
    const Kept kept = keep_top_p(row, likely, args.top_p[index]);
    std::uint64_t state = args.random[index];
    const double uniform = next_uniform(state);
    token = draw(row, kept, uniform, cut);
    __syncthreads();  // everybody has read the state
    if (threadIdx.x == 0) args.random[index] = state;
  }
  if (threadIdx.x == 0) args.tokens[index] = token;
}

}  // namespace

void launch_argmax(const ArgmaxArgs& args, StreamHandle stream) {
  if (args.rows == 0) return;
  launch(argmax_kernel, {static_cast<unsigned>(args.rows), kThreads, 0, args.pdl}, stream, args);
}

void launch_sample(const SampleArgs& args, StreamHandle stream) {
  if (args.rows == 0) return;
  launch(sample_kernel, {static_cast<unsigned>(args.rows), kThreads}, stream, args);
}

}  // namespace kernels::cuda
