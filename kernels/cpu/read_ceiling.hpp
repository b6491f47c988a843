// The rate at which threads can read memory: what decoding, which reads every weight once per token, is
// measured against. Measure it over the weights themselves, in the same minute as the decoding: on a shared
// machine the ceiling moves.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "kernels/cpu/thread_pool.hpp"

namespace kernels {

struct ReadCeiling {
  double gigabytes_per_second = 0;  // 10^9 bytes
  std::string variant;              // the way of reading that was fastest, in words
};

// Reads one word of every cache line of `buffer`, each thread a contiguous share, in several ways (streams
// per thread, software prefetch), `passes` times each, and reports the way that was fastest over its passes
// together: decoding is a mean over many tokens, and the luckiest 10 ms of a shared machine are no measure
// for it. The buffer must be much larger than the last-level cache, or the result is that cache's. Uses the
// pool's threads; nobody else may run() it meanwhile.
ReadCeiling measure_read_ceiling(ThreadPool& pool, std::span<const std::byte> buffer, int passes = 5);

}  // namespace kernels
