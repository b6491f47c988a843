// Matrix products on Intel's tile registers (AMX-BF16). Included after a vector_*.hpp and a round_*.hpp.
//
// It has not run on AMX silicon: the tests run it on EmulatedTiles, and at start a product is compared with
// the AVX512-BF16 kernels before the table is offered (tables.hpp).
//
// A tile holds 16 rows of 64 bytes. Weight rows are loaded as they lie (16 rows of 32 values), and a packed
// panel is already the other operand: 16 words of 16 tokens, a word being a pair of values. The sums are 16
// rows x 16 tokens.
#pragma once

#include "kernels/cpu/simd/gemm.hpp"
#include "kernels/cpu/simd/pairs.hpp"

namespace kernels::simd {
namespace {

// Tiles 0-2 hold sums, 3 weights, 4-6 tokens.
constexpr int kSumTile = 0;
constexpr int kWeightTile = 3;
constexpr int kTokenTile = 4;

template <class Tiles>
struct AmxGemm : PairGemm<32> {
  static constexpr Index kRows = 16;
  static constexpr Index kLanes = 16;
  static constexpr Index kPanel = 48;
  using Session = Tiles;

  static void multiply(Tiles& tiles, Index width, const Broadcast& rows, const float* panel, Index steps,
                       float* sums, bool resume) {
    if (width == 48) return multiply_tokens<3>(tiles, rows, panel, steps, sums, resume);
    if (width == 32) return multiply_tokens<2>(tiles, rows, panel, steps, sums, resume);
    return multiply_tokens<1>(tiles, rows, panel, steps, sums, resume);
  }

 private:
  template <int kTokenTiles>
  static void multiply_tokens(Tiles& tiles, const Broadcast& rows, const float* panel, Index steps,
                              float* sums, bool resume) {
    constexpr Index kWordsPerTile = 16;
    constexpr Index kStride = kTokenTiles * kLanes * 4;
    start<kTokenTiles, 0>(tiles, sums, kStride, resume);
    for (Index s = 0; s < steps; s += kWordsPerTile) {
      tiles.template load<kWeightTile>(rows.data + s * rows.step_stride, rows.row_stride);
      add<kTokenTiles, 0>(tiles, panel + s * kTokenTiles * kLanes, kStride);
    }
    finish<kTokenTiles, 0>(tiles, sums, kStride);
  }

  // A tile's number is part of the instruction, so loops over tiles are recursions over template arguments.
  template <int kTokenTiles, int kTile>
  static void start(Tiles& tiles, const float* sums, Index stride, bool resume) {
    if constexpr (kTile < kTokenTiles) {
      if (resume) {
        tiles.template load<kSumTile + kTile>(sums + kTile * kLanes, stride);
      } else {
        tiles.template zero<kSumTile + kTile>();
      }
      start<kTokenTiles, kTile + 1>(tiles, sums, stride, resume);
    }
  }

  template <int kTokenTiles, int kTile>
  static void add(Tiles& tiles, const float* panel, Index stride) {
    if constexpr (kTile < kTokenTiles) {
      tiles.template load<kTokenTile + kTile>(panel + kTile * kLanes, stride);
      tiles.template multiply_add<kSumTile + kTile, kWeightTile, kTokenTile + kTile>();
      add<kTokenTiles, kTile + 1>(tiles, panel, stride);
    }
  }

  template <int kTokenTiles, int kTile>
  static void finish(Tiles& tiles, float* sums, Index stride) {
    if constexpr (kTile < kTokenTiles) {
      tiles.template store<kSumTile + kTile>(sums + kTile * kLanes, stride);
      finish<kTokenTiles, kTile + 1>(tiles, sums, stride);
    }
  }
};

// The tile instructions in software, for tests. Adds the two products of a pair in order and does not flush
// subnormals, which the hardware does.
class EmulatedTiles {
 public:
  template <int kTile>
  void zero() {
    __builtin_memset(tile_[kTile], 0, sizeof tile_[kTile]);
  }

  template <int kTile>
  void load(const void* from, Index stride) {
    for (int r = 0; r < 16; ++r)
      __builtin_memcpy(tile_[kTile][r], static_cast<const char*>(from) + r * stride, 64);
  }

  template <int kTile>
  void store(void* to, Index stride) const {
    for (int r = 0; r < 16; ++r) __builtin_memcpy(static_cast<char*>(to) + r * stride, tile_[kTile][r], 64);
  }

  template <int kSum, int kLeft, int kRight>
  void multiply_add() {
    for (int row = 0; row < 16; ++row) {
      for (int col = 0; col < 16; ++col) {
        float sum;
        __builtin_memcpy(&sum, &tile_[kSum][row][col * 4], sizeof sum);
        for (int pair = 0; pair < 16; ++pair) {
          sum += value(kLeft, row, 2 * pair) * value(kRight, pair, 2 * col);
          sum += value(kLeft, row, 2 * pair + 1) * value(kRight, pair, 2 * col + 1);
        }
        __builtin_memcpy(&tile_[kSum][row][col * 4], &sum, sizeof sum);
      }
    }
  }

 private:
  float value(int tile, int row, int index) const {
    std::uint16_t half;
    __builtin_memcpy(&half, &tile_[tile][row][index * 2], sizeof half);
    const std::uint32_t bits = std::uint32_t{half} << 16;
    float result;
    __builtin_memcpy(&result, &bits, sizeof result);
    return result;
  }

  alignas(64) char tile_[8][16][64];
};

#if defined(__x86_64__)

// The processor's own tiles. Configured while an object lives, released after: a thread that keeps tiles pays
// for saving 8 KiB at every context switch. The process must have been granted their use (cpu_features.hpp).
class HardwareTiles {
 public:
  HardwareTiles() {
    alignas(64) Configuration configuration{};
    configuration.palette = 1;
    for (int tile = 0; tile < 8; ++tile) {
      configuration.row_bytes[tile] = 64;
      configuration.rows[tile] = 16;
    }
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  ~HardwareTiles() { asm volatile("tilerelease"); }
  HardwareTiles(const HardwareTiles&) = delete;
  HardwareTiles& operator=(const HardwareTiles&) = delete;

  template <int kTile>
  void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
  }

  template <int kTile>
  void load(const void* from, Index stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(kTile) : "memory");
  }

  template <int kTile>
  void store(void* to, Index stride) const {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(kTile) : "memory");
  }

  template <int kSum, int kLeft, int kRight>
  void multiply_add() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSum), "i"(kLeft), "i"(kRight));
  }

 private:
  struct Configuration {  // as the instruction reads it
    std::uint8_t palette;
    std::uint8_t start_row;
    std::uint8_t reserved[14];
    std::uint16_t row_bytes[16];
    std::uint8_t rows[16];
  };
  static_assert(sizeof(Configuration) == 64);
};

#endif

}  // namespace
}  // namespace kernels::simd
