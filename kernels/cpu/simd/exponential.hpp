// Vectorised exp and silu. Included after a vector_*.hpp.
#pragma once

namespace kernels::simd {
namespace {

// exp(x) for x <= 88 with a relative error below 3e-7; 0 below -87.7, where the result would be subnormal.
// NaN stays. Cody-Waite reduction to |r| <= ln(2) / 2, then the Taylor polynomial of degree 6.
inline F exp_below_88(F x) {
  x = max(set1(-88.0f), x);
  const F magic_bias = set1(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const F magic = fma(x, set1(1.44269504f), magic_bias);
  const F n = sub(magic, magic_bias);
  F r = fma(n, set1(-0.693359375f), x);
  r = fma(n, set1(2.12194440e-4f), r);
  F p = set1(1.3888889e-3f);
  p = fma(p, r, set1(8.3333333e-3f));
  p = fma(p, r, set1(4.1666667e-2f));
  p = fma(p, r, set1(1.6666667e-1f));
  p = fma(p, r, set1(0.5f));
  p = fma(p, r, set1(1.0f));
  p = fma(p, r, set1(1.0f));
  return times_power_of_two(p, magic);
}

// x above 88 counts as 88: no overflow.
inline F exp(F x) {
  return exp_below_88(min(set1(88.0f), x));
}

inline F silu(F a) {
  return div(a, add(set1(1.0f), exp(sub(zero(), a))));
}

}  // namespace
}  // namespace kernels::simd
