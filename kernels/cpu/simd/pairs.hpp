// Operands of products that take pairs of bf16 values. Included after a vector_*.hpp and a round_*.hpp.
#pragma once

#include "kernels/cpu/simd/panel.hpp"

namespace kernels::simd {
namespace {

constexpr Index kMostLanes = 48;  // of any panel
static_assert(kPanelTokens <= kMostLanes);

// Rows are padded with zeros to a multiple of kUnit values.
template <Index kUnit>
struct PairGemm {
  static constexpr Index kPerWord = 2;

  static Index words(Index cols) { return round_up(cols, kUnit) / 2; }

  static void pack_rows(const float* const* x, Index words, Index cols, Index width, float* panel) {
    constexpr Index kWordsAtOnce = 64;
    alignas(64) float rounded[extent(kMostLanes)][extent(kWordsAtOnce)];
    const float* rows[extent(kMostLanes)];
    for (Index i = 0; i < width; ++i) rows[i] = rounded[i];
    for (Index s = 0; s < words; s += kWordsAtOnce) {
      const Index count = at_most(kWordsAtOnce, words - s);
      const Index values = at_most(2 * count, cols - 2 * s);
      if (values < 2 * count) __builtin_memset(rounded, 0, sizeof rounded);
      for (Index i = 0; i < width; ++i) round_row(x[i] + 2 * s, values, 1.0f, rounded[i]);
      transpose_into_panel(rows, count, width, panel + s * width);
    }
  }

  static bool in_place(Index cols) { return cols % kUnit == 0; }

  static void convert_row(const char* from, Index cols, char* to) {
    __builtin_memcpy(to, from, static_cast<std::size_t>(cols) * 2);
    __builtin_memset(to + cols * 2, 0, static_cast<std::size_t>(words(cols) * 4 - cols * 2));
  }
};

}  // namespace
}  // namespace kernels::simd
