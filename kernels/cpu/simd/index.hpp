// Arithmetic on indices, with internal linkage (see kernels.hpp for why).
#pragma once

#include <cstddef>
#include <cstdint>

namespace kernels::simd {
namespace {

using Index = std::int64_t;

// Array bounds that depend on template parameters: GCC warns about the sign of anything else.
constexpr std::size_t extent(Index count) {
  return static_cast<std::size_t>(count);
}

inline Index at_most(Index a, Index b) {
  return a < b ? a : b;
}
inline Index round_up(Index value, Index unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace
}  // namespace kernels::simd
