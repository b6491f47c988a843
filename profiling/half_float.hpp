// IEEE 754 half precision, as gate logits are stored: rounded to nearest even, finite values beyond the
// largest half saturate (a logit of -1e6 stays a number), NaN stays NaN.
#pragma once

#include <bit>
#include <cstdint>

namespace profiling {

inline constexpr std::uint16_t kHalfNan = 0x7e00;

inline std::uint16_t half_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return kHalfNan;
  if (magnitude == 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7bffu);  // rounds above 65504
  if (magnitude < 0x38800000u) {  // below 2^-14: the float adder rounds to steps of 2^-24
    const float scaled = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(scaled) - 0x3f000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

// Without branches, so that loops over it become SIMD: the exponent is moved by a multiplication, which also
// turns subnormal halves into floats exactly; infinities and NaNs get their exponent back.
inline float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = half & 0x7fffu;
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  const std::uint32_t special = magnitude >= 0x7c00u ? 0x7f800000u : 0u;
  return std::bit_cast<float>(sign | special | std::bit_cast<std::uint32_t>(scaled));
}

}  // namespace profiling
