#include "engine/backend/cpu_gates.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace engine {

namespace {

using kernels::CpuOps;
using kernels::MatmulArgs;
using kernels::Matrix;

// No table rounds the input of a matmul of so few rows: it is bound by memory, not arithmetic.
constexpr std::int64_t kExactRows = 4;

Matrix row_of(const Matrix& matrix, std::int64_t row) {
  const std::size_t offset = static_cast<std::size_t>(row * matrix.cols) * kernels::size_of(matrix.dtype);
  return {static_cast<const std::byte*>(matrix.data) + offset, matrix.dtype, 1, matrix.cols};
}

// What the query norm (Qwen3) multiplies the last channel of one head by.
float norm_factor(const ModelConfig& config, const LayerWeights& layer, const float* q_head) {
  if (layer.q_norm.empty()) return 1;
  float squares = 0;
  for (int d = 0; d < config.head_dim; ++d) squares += q_head[d] * q_head[d];
  const float mean = squares / static_cast<float>(config.head_dim);
  return layer.q_norm.back() / std::sqrt(mean + static_cast<float>(config.rms_norm_eps));
}

void borrowed_neuron_gates(const CpuOps& ops, const Model& model, const LayerWeights& layer,
                           const GateRows& rows, float* gates, std::int64_t gate_stride) {
  const ModelConfig& config = model.config;
  const std::int64_t q_stride = std::int64_t{config.query_heads} * config.head_dim;
  for (std::int32_t head = 0; head < config.kv_heads; ++head) {
    const std::int64_t first_query_head = std::int64_t{head} * config.group();
    const std::int64_t channel = (first_query_head + 1) * config.head_dim - 1;
    MatmulArgs args;
    args.x = rows.normed;
    args.x_stride = config.hidden;
    args.m = rows.rows;
    args.w = row_of(layer.q, channel);
    args.bias = layer.q_bias.empty() ? nullptr : layer.q_bias.data() + channel;
    args.out = gates + head * gate_stride;
    args.out_stride = 1;
    exact_matmul(ops, args);
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      args.out[row] *=
          norm_factor(config, layer, rows.q + row * q_stride + first_query_head * config.head_dim);
    }
  }
}

void adapter_gates(const CpuOps& ops, const Model& model, const LayerWeights& layer, const GateRows& rows,
                   float* gates, std::int64_t gate_stride, std::vector<float>& scratch) {
  const std::int64_t hidden = model.config.hidden;
  const std::int64_t kv_heads = model.config.kv_heads;
  scratch.resize(static_cast<std::size_t>(rows.rows * (hidden + kv_heads)));
  float* normed = scratch.data();
  float* out = normed + rows.rows * hidden;
  ops.rmsnorm({rows.x, hidden, layer.alpha_norm.data(), static_cast<float>(model.config.rms_norm_eps),
               rows.rows, hidden, normed, hidden});
  MatmulArgs args;
  args.x = normed;
  args.x_stride = hidden;
  args.m = rows.rows;
  args.w = {layer.alpha.data(), kernels::DType::f32, kv_heads, hidden};
  args.bias = layer.alpha_bias.empty() ? nullptr : layer.alpha_bias.data();
  args.out = out;
  args.out_stride = kv_heads;
  exact_matmul(ops, args);
  for (std::int64_t head = 0; head < kv_heads; ++head) {
    for (std::int64_t row = 0; row < rows.rows; ++row)
      gates[head * gate_stride + row] = out[row * kv_heads + head];
  }
}

}  // namespace

void exact_matmul(const CpuOps& ops, MatmulArgs args) {
  const std::int64_t rows = args.m;
  for (std::int64_t row = 0; row < rows; row += kExactRows) {
    args.m = std::min(kExactRows, rows - row);
    ops.matmul(std::span(&args, 1), kernels::Part{});
    args.x += args.m * args.x_stride;
    args.out += args.m * args.out_stride;
  }
}

void compute_gates(const CpuOps& ops, const Model& model, const LayerWeights& layer, const GateRows& rows,
                   float* gates, std::int64_t gate_stride, std::vector<float>& scratch) {
  const DmsConfig& dms = model.dms;
  if (dms.form == GateForm::none) return;
  if (dms.form == GateForm::adapter) {
    adapter_gates(ops, model, layer, rows, gates, gate_stride, scratch);
  } else {
    borrowed_neuron_gates(ops, model, layer, rows, gates, gate_stride);
  }
  const auto scale = static_cast<float>(dms.alpha_scale);
  const auto offset = static_cast<float>(dms.alpha_offset);
  for (std::int32_t head = 0; head < model.config.kv_heads; ++head) {
    const float* source = gates + (dms.per_layer ? 0 : head * gate_stride);
    float* target = gates + head * gate_stride;
    const bool scaled = dms.per_layer && head > 0;  // head 0's, scaled already
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      target[row] = scaled ? source[row] : source[row] * scale - offset;
    }
  }
}

void zero_borrowed_neuron(const ModelConfig& config, float* q) {
  const std::int64_t group_width = std::int64_t{config.group()} * config.head_dim;
  for (std::int64_t head = 0; head < config.kv_heads; ++head) q[head * group_width + config.head_dim - 1] = 0;
}

}  // namespace engine
