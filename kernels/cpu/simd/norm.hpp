// RMSNorm. Included after a vector_*.hpp.
#pragma once

#include "kernels/cpu/simd/kernels.hpp"

namespace kernels::simd {
namespace {

inline void rmsnorm(const RmsNormArgs& args) {
  const Index cols = args.cols;
  const Index whole = cols - cols % kWidth;
  for (Index r = 0; r < args.rows; ++r) {
    const float* x = args.x + r * args.x_stride;
    float* out = args.out + r * args.out_stride;
    F even = zero();
    F odd = zero();
    Index c = 0;
    for (; c + 2 * kWidth <= whole; c += 2 * kWidth) {
      const F a = load(x + c);
      const F b = load(x + c + kWidth);
      even = fma(a, a, even);
      odd = fma(b, b, odd);
    }
    for (; c < cols; c += kWidth) {
      const F a = c < whole ? load(x + c) : load_first(x + c, cols - c);
      even = fma(a, a, even);
    }
    const float mean_square = sum(add(even, odd)) / static_cast<float>(cols);
    const F scale = set1(1.0f / __builtin_sqrtf(mean_square + args.eps));
    for (c = 0; c < whole; c += kWidth) store(out + c, mul(mul(load(x + c), scale), load(args.weight + c)));
    if (c < cols) {
      const F tail = mul(load_first(x + c, cols - c), scale);
      store_first(out + c, mul(tail, load_first(args.weight + c, cols - c)), cols - c);
    }
  }
}

}  // namespace
}  // namespace kernels::simd
