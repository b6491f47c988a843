#include "kernels/cpu/simd/stream_choice.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

namespace kernels::simd {
namespace {

constexpr std::int64_t kRows = 512;
constexpr std::int64_t kCols = 1024;  // 1 MiB of bf16 weights: many times what a prefetcher looks ahead
constexpr int kTrials = 6;            // the fastest counts: other programs may interrupt the rest

// Weights in memory but in no cache, as the next layer's are during decoding.
void evict(const std::vector<std::uint16_t>& weights) {
#if defined(__x86_64__)
  constexpr std::size_t kLine = 64 / sizeof(std::uint16_t);
  for (std::size_t i = 0; i < weights.size(); i += kLine) __builtin_ia32_clflush(&weights[i]);
  __builtin_ia32_mfence();
#else
  (void)weights;
#endif
}

double seconds(const Kernels& kernels, const MatmulArgs& args, int streams) {
  const auto start = std::chrono::steady_clock::now();
  kernels.dot_rows(args, {0, kRows}, streams);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int best_streams(const Kernels& kernels) {
  const std::vector<std::uint16_t> weights(static_cast<std::size_t>(kRows * kCols), 0x3f80);
  const std::vector<float> x(static_cast<std::size_t>(kCols), 1.0f);
  std::vector<float> out(static_cast<std::size_t>(kRows));
  const MatmulArgs args{x.data(), kCols,      1,     {weights.data(), DType::bf16, kRows, kCols},
                        nullptr,  out.data(), kRows, false};
  double one = std::numeric_limits<double>::infinity();
  double many = one;
  for (int trial = 0; trial < kTrials; ++trial) {
    evict(weights);
    one = std::min(one, seconds(kernels, args, 1));
    evict(weights);
    many = std::min(many, seconds(kernels, args, kManyStreams));
  }
  return many < one ? kManyStreams : 1;
}

}  // namespace kernels::simd
