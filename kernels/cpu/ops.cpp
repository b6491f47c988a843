#include "kernels/cpu/ops.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace kernels {

void merge_softmax(const SoftmaxState& into, const SoftmaxState& from, int group, int head_dim) {
  for (int g = 0; g < group; ++g) {
    if (from.sum[g] == 0) continue;
    const float max = std::max(into.max[g], from.max[g]);
    const float keep = into.sum[g] == 0 ? 0.0f : std::exp(into.max[g] - max);
    const float add = std::exp(from.max[g] - max);
    float* acc = into.acc + g * head_dim;
    const float* other = from.acc + g * head_dim;
    for (int d = 0; d < head_dim; ++d) acc[d] = keep * acc[d] + add * other[d];
    into.sum[g] = keep * into.sum[g] + add * from.sum[g];
    into.max[g] = max;
  }
}

void rope_rotate(float* x, int head_dim, const float* cos, const float* sin) {
  const int half = head_dim / 2;
  for (int i = 0; i < half; ++i) {
    const float low = x[i];
    const float high = x[i + half];
    x[i] = low * cos[i] - high * sin[i];
    x[i + half] = high * cos[i] + low * sin[i];
  }
}

void store_kv(void* dst, DType kv_dtype, const float* src, std::int64_t count) {
  if (kv_dtype == DType::f32) {
    std::memcpy(dst, src, static_cast<std::size_t>(count) * sizeof(float));
    return;
  }
  auto* out = static_cast<std::uint16_t*>(dst);
  for (std::int64_t i = 0; i < count; ++i) out[i] = float_to_bf16(src[i]);
}

void blend_kv(void* dst, DType kv_dtype, const float* src, float blend, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (kv_dtype == DType::f32) {
      float& element = static_cast<float*>(dst)[i];
      element = (1 - blend) * element + blend * src[i];
    } else {
      std::uint16_t& element = static_cast<std::uint16_t*>(dst)[i];
      element = float_to_bf16((1 - blend) * bf16_to_float(element) + blend * src[i]);
    }
  }
}

}  // namespace kernels
