// Rounding of float32 to pairs of bf16 for processors without an instruction for it. Included after a
// vector_*.hpp.
#pragma once

namespace kernels::simd {
namespace {

// `cols` values as pairs; an odd one is paired with zero. To nearest, ties to even; NaN stays NaN.
inline void round_row(const float* from, Index cols, float scale, float* words) {
  auto* to = reinterpret_cast<char*>(words);
  for (Index c = 0; c < round_up(cols, 2); ++c) {
    const float value = c < cols ? from[c] * scale : 0.0f;
    std::uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    const std::uint32_t rounded = nan ? (bits >> 16) | 0x40u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const auto half = static_cast<std::uint16_t>(rounded);
    __builtin_memcpy(to + c * 2, &half, sizeof half);
  }
}

}  // namespace
}  // namespace kernels::simd
