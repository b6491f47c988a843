// One block of an emulated kernel launch: its threads are fibers that meet at barriers and exchange values
// warp by warp. Included by the emulation's cuda_runtime.h; what a misuse of these means on a device is
// undefined, here it throws Fault.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>

namespace cuda_emulation {

// What a device would answer with an error, or not at all.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The thread that is running.
struct Current {
  uint3 thread{};
  uint3 block{};
  dim3 block_size;
  dim3 grid_size;
};
inline Current current;

inline int lane() {
  return static_cast<int>(
      (current.thread.x +
       current.block_size.x * (current.thread.y + current.block_size.y * current.thread.z)) %
      32);
}

void sync_block();
void sync_warp(unsigned mask);

// What a lane brings to a warp-wide operation.
using Operand = std::array<std::uint32_t, 8>;
enum class WarpOperation : std::uint8_t { none, sync, shuffle, ballot, mma };

// All 32 lanes bring an operand to the same operation; each gets all of them. Valid until the lane's next
// one.
const std::array<Operand, 32>& exchange(WarpOperation operation, unsigned mask, const Operand& own);

template <typename T>
T shuffle(unsigned mask, T value, int from) {
  static_assert(sizeof(T) <= sizeof(Operand));
  Operand own{};
  std::memcpy(own.data(), &value, sizeof value);
  T result;
  std::memcpy(&result, exchange(WarpOperation::shuffle, mask, own)[static_cast<std::size_t>(from)].data(),
              sizeof result);
  return result;
}

inline unsigned ballot(unsigned mask, bool predicate) {
  const Operand own{predicate ? 1u : 0u};
  const auto& all = exchange(WarpOperation::ballot, mask, own);
  unsigned bits = 0;
  for (unsigned i = 0; i < 32; ++i) bits |= all[i][0] << i;
  return bits;
}

// D += A * B of 16 x 8 x 16, in the layout of a device's m16n8k16. `widen(word, half)` gives the low or high
// element of a word as a float.
template <typename Widen>
void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const Widen& widen) {
  const Operand own{a[0], a[1], a[2], a[3], b[0], b[1]};
  const auto& all = exchange(WarpOperation::mma, 0xffffffffu, own);
  const auto g = static_cast<std::size_t>(lane() / 4);
  const auto t = static_cast<std::size_t>(lane() % 4);
  for (std::size_t from = 0; from < 4;
       ++from) {  // lane `from` of each row holds k = 2 from, +1 and 2 from + 8, +9
    const Operand& row = all[4 * g + from];
    for (std::size_t column = 0; column < 2; ++column) {
      const Operand& other = all[4 * (2 * t + column) + from];
      for (int half = 0; half < 2; ++half) {
        const float low = widen(other[4], half);
        const float high = widen(other[5], half);
        d[column] += widen(row[0], half) * low + widen(row[2], half) * high;
        d[2 + column] += widen(row[1], half) * low + widen(row[3], half) * high;
      }
    }
  }
}

std::byte* dynamic_shared_memory();

// Asynchronous copies arrive as late as they may: when they are waited for.
void copy_16_async(void* shared, const void* from, bool valid);
void commit_copies();
void wait_for_copies(int pending);

// Nearest even, as cvt.rn.f16.f32 rounds.
std::uint16_t float_to_half(float value);

// Runs every block of a grid, in an order that differs from launch to launch; throws Fault.
void run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& kernel);

// Puts a launch into a stream.
cudaError_t launch(const void* function, dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream,
                   std::function<void()> kernel);

}  // namespace cuda_emulation
