// The plain float32 path: what every operation means, written to be read. It converts weights to float32
// exactly, accumulates in float32 and rounds nothing on the way, so its error is that of float32 arithmetic
// alone.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/cpu/ops.hpp"

namespace kernels {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

// Rows are read through memcpy because weights need not be aligned.
template <typename Bits, typename Widen>
void widen_row(const void* data, std::int64_t row, Widen widen, std::vector<float>& out) {
  const auto* source =
      static_cast<const unsigned char*>(data) + static_cast<std::size_t>(row) * out.size() * sizeof(Bits);
  for (std::size_t c = 0; c < out.size(); ++c) {
    Bits bits;
    std::memcpy(&bits, source + c * sizeof(Bits), sizeof(Bits));
    out[c] = widen(bits);
  }
}

void read_row(const void* data, DType dtype, std::int64_t row, std::vector<float>& out) {
  switch (dtype) {
    case DType::f32:
      return widen_row<float>(
          data, row, [](float value) { return value; }, out);
    case DType::f16:
      return widen_row<std::uint16_t>(data, row, half_to_float, out);
    case DType::bf16:
      return widen_row<std::uint16_t>(data, row, bf16_to_float, out);
  }
}

// Sixteen partial sums: as exact as one, or better, and the compiler can vectorise them without reordering.
float dot(const float* a, const float* b, std::int64_t n) {
  std::array<float, 16> sums{};
  std::int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (std::int64_t lane = 0; lane < 16; ++lane)
      sums[static_cast<std::size_t>(lane)] += a[i + lane] * b[i + lane];
  }
  float total = 0;
  for (float sum : sums) total += sum;
  for (; i < n; ++i) total += a[i] * b[i];
  return total;
}

struct Range {
  std::int64_t begin;
  std::int64_t end;
};

Range share_of(std::int64_t total, const Part& part) {
  return {total * part.index / part.count, total * (part.index + 1) / part.count};
}

void matmul_rows(const MatmulArgs& args, Range rows) {
  std::vector<float> weights(static_cast<std::size_t>(args.w.cols));
  for (std::int64_t n = rows.begin; n < rows.end; ++n) {
    read_row(args.w.data, args.w.dtype, n, weights);
    for (std::int64_t m = 0; m < args.m; ++m) {
      float* out = args.out + m * args.out_stride + n;
      float sum = dot(args.x + m * args.x_stride, weights.data(), args.w.cols);
      if (args.bias != nullptr) sum += args.bias[n];
      *out = args.accumulate ? *out + sum : sum;
    }
  }
}

void matmul(std::span<const MatmulArgs> matmuls, const Part& part) {
  for (const MatmulArgs& args : matmuls) matmul_rows(args, share_of(args.w.rows, part));
}

float silu(float a) {
  return a / (1.0f + std::exp(-a));
}

void gated_matmul(const GatedMatmulArgs& args, const Part& part) {
  const std::int64_t cols = args.gate.cols;
  std::vector<float> gate(static_cast<std::size_t>(cols));
  std::vector<float> up(static_cast<std::size_t>(cols));
  const Range rows = share_of(args.gate.rows, part);
  for (std::int64_t n = rows.begin; n < rows.end; ++n) {
    read_row(args.gate.data, args.gate.dtype, n, gate);
    read_row(args.up.data, args.up.dtype, n, up);
    for (std::int64_t m = 0; m < args.m; ++m) {
      const float* x = args.x + m * args.x_stride;
      const float a = dot(x, gate.data(), cols) + (args.gate_bias != nullptr ? args.gate_bias[n] : 0.0f);
      const float b = dot(x, up.data(), cols) + (args.up_bias != nullptr ? args.up_bias[n] : 0.0f);
      args.out[m * args.out_stride + n] = silu(a) * b;
    }
  }
}

void rmsnorm(const RmsNormArgs& args) {
  for (std::int64_t r = 0; r < args.rows; ++r) {
    const float* x = args.x + r * args.x_stride;
    float* out = args.out + r * args.out_stride;
    const float mean_square = dot(x, x, args.cols) / static_cast<float>(args.cols);
    const float scale = 1.0f / std::sqrt(mean_square + args.eps);
    for (std::int64_t c = 0; c < args.cols; ++c) out[c] = x[c] * scale * args.weight[c];
  }
}

// Softmax of `scores` (in place, unnormalised) and its weighted sum of values into acc.
struct Softmax {
  float max;
  float sum;
};

Softmax exponentiate(std::vector<float>& scores) {
  Softmax result{kMinusInfinity, 0};
  for (float score : scores) result.max = std::max(result.max, score);
  for (float& score : scores) {
    score = score == kMinusInfinity ? 0.0f : std::exp(score - result.max);
    result.sum += score;
  }
  return result;
}

const void* page_row(const AttendSlotsArgs& args, int slot, int block) {
  const std::size_t row = static_cast<std::size_t>(block * kPageSlots + slot % kPageSlots);
  const std::size_t row_bytes = static_cast<std::size_t>(args.head_dim) * size_of(args.kv_dtype);
  return static_cast<const unsigned char*>(args.pages[slot / kPageSlots]) + row * row_bytes;
}

void attend_slots(const AttendSlotsArgs& args) {
  constexpr int kKeys = 0;
  constexpr int kValues = 1;
  const int slots = args.slot_end - args.slot_begin;
  std::vector<float> row(static_cast<std::size_t>(args.head_dim));
  std::vector<float> scores(static_cast<std::size_t>(slots));
  for (int g = 0; g < args.group; ++g) {
    const float* q = args.q + static_cast<std::int64_t>(g) * args.head_dim;
    for (int s = 0; s < slots; ++s) {
      read_row(page_row(args, args.slot_begin + s, kKeys), args.kv_dtype, 0, row);
      scores[static_cast<std::size_t>(s)] = dot(q, row.data(), args.head_dim) * args.scale;
    }
    if (args.scores != nullptr) std::copy(scores.begin(), scores.end(), args.scores + g * args.scores_stride);
    const Softmax softmax = exponentiate(scores);
    args.state.max[g] = softmax.max;
    args.state.sum[g] = softmax.sum;
    float* acc = args.state.acc + static_cast<std::int64_t>(g) * args.head_dim;
    std::fill_n(acc, args.head_dim, 0.0f);
    for (int s = 0; s < slots; ++s) {
      read_row(page_row(args, args.slot_begin + s, kValues), args.kv_dtype, 0, row);
      for (int d = 0; d < args.head_dim; ++d)
        acc[d] += scores[static_cast<std::size_t>(s)] * row[static_cast<std::size_t>(d)];
    }
  }
}

void attend_block(const AttendBlockArgs& args) {
  const auto dim = static_cast<std::size_t>(args.head_dim);
  std::vector<float> keys(static_cast<std::size_t>(args.keys) * dim);
  std::vector<float> values(keys.size());
  read_row(args.k, args.kv_dtype, 0, keys);
  read_row(args.v, args.kv_dtype, 0, values);
  std::vector<float> scores(static_cast<std::size_t>(args.keys));
  for (int i = 0; i < args.queries; ++i) {
    const std::int32_t position = args.first_position + i;
    for (int g = 0; g < args.group; ++g) {
      const std::int64_t head = static_cast<std::int64_t>(g) * args.head_dim;
      const float* q = args.q + i * args.q_stride + head;
      for (std::size_t j = 0; j < scores.size(); ++j) {
        const bool visible = args.position[j] <= position && position <= args.last_query[j];
        scores[j] = visible ? dot(q, &keys[j * dim], args.head_dim) * args.scale : kMinusInfinity;
      }
      const Softmax softmax = exponentiate(scores);
      float* out = args.out + i * args.out_stride + head;
      std::fill_n(out, args.head_dim, 0.0f);
      for (std::size_t j = 0; j < scores.size(); ++j) {
        if (scores[j] == 0) continue;
        for (std::size_t d = 0; d < dim; ++d) out[d] += scores[j] / softmax.sum * values[j * dim + d];
      }
    }
  }
}

}  // namespace

const CpuOps& reference_ops() {
  static constexpr CpuOps kOps{"reference", matmul, gated_matmul, rmsnorm, attend_slots, attend_block};
  return kOps;
}

}  // namespace kernels
