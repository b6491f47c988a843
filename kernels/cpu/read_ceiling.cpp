#include "kernels/cpu/read_ceiling.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>

namespace kernels {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kPrefetchAhead = 1024;

// XOR of a word of every line, so that no read can be left out.
template <std::size_t kStreams, bool kPrefetch>
std::uint64_t read_lines(const std::byte* begin, std::size_t bytes) {
  const std::size_t stream_bytes = bytes / kStreams / kLine * kLine;
  std::array<std::uint64_t, kStreams> sums{};
  for (std::size_t i = 0; i < stream_bytes; i += kLine) {
    for (std::size_t s = 0; s < kStreams; ++s) {
      const std::byte* p = begin + s * stream_bytes + i;
      if (kPrefetch) __builtin_prefetch(p + kPrefetchAhead);
      std::uint64_t word;
      std::memcpy(&word, p, sizeof word);
      sums[s] ^= word;
    }
  }
  std::uint64_t total = 0;
  for (std::uint64_t sum : sums) total ^= sum;
  return total;
}

struct Variant {
  const char* name;
  std::uint64_t (*read)(const std::byte* begin, std::size_t bytes);
};

constexpr std::array kVariants = {
    Variant{"1 stream per thread", read_lines<1, false>},
    Variant{"1 stream per thread, prefetched", read_lines<1, true>},
    Variant{"4 streams per thread", read_lines<4, false>},
    Variant{"4 streams per thread, prefetched", read_lines<4, true>},
};

double seconds_to_read(ThreadPool& pool, std::span<const std::byte> buffer, const Variant& variant) {
  std::atomic<std::uint64_t> sink{0};
  const auto start = std::chrono::steady_clock::now();
  pool.run([&](const Part& part) {
    const std::size_t share = buffer.size() / static_cast<std::size_t>(part.count);
    sink ^= variant.read(buffer.data() + static_cast<std::size_t>(part.index) * share, share);
  });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

ReadCeiling measure_read_ceiling(ThreadPool& pool, std::span<const std::byte> buffer, int passes) {
  std::array<double, kVariants.size()> seconds{};
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t i = 0; i < kVariants.size(); ++i)
      seconds[i] += seconds_to_read(pool, buffer, kVariants[i]);
  }
  const auto fastest =
      static_cast<std::size_t>(std::min_element(seconds.begin(), seconds.end()) - seconds.begin());
  const double bytes = static_cast<double>(buffer.size()) * passes;
  return {bytes / seconds[fastest] * 1e-9, kVariants[fastest].name};
}

}  // namespace kernels
