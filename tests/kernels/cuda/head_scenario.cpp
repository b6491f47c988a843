#include "tests/kernels/cuda/head_scenario.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/ops.hpp"

namespace kernels::cuda::test {

namespace {

std::size_t at(int row, int column, int width) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column);
}

engine::SlotLayout layout_of(const ScenarioShape& shape) {
  return {shape.head_dim, shape.dtype};
}

}  // namespace

void fill_rope(int head_dim, std::vector<float>& cos, std::vector<float>& sin) {
  for (int position = 0; position < kMaxPositions; ++position) {
    for (int i = 0; i < head_dim / 2; ++i) {
      const double angle = position * std::pow(10000.0, -2.0 * i / head_dim);
      cos.push_back(static_cast<float>(std::cos(angle)));
      sin.push_back(static_cast<float>(std::sin(angle)));
    }
  }
}

SequenceScenario::SequenceScenario(const ScenarioShape& shape_, int tokens_, Random& random,
                                   const std::vector<float>& q_norm, const std::vector<float>& k_norm,
                                   const std::vector<float>& cos, const std::vector<float>& sin)
    : shape(shape_),
      tokens(tokens_),
      q(random.normals(std::int64_t{tokens_} * shape_.group * shape_.kv_heads * shape_.head_dim)),
      k(random.normals(std::int64_t{tokens_} * shape_.kv_heads * shape_.head_dim)),
      v(random.normals(std::int64_t{tokens_} * shape_.kv_heads * shape_.head_dim)),
      raw(random.normals(std::int64_t{tokens_} * shape_.kv_heads)) {
  finish(q_norm, k_norm, cos, sin);
  judge(q_norm);
  attend();
}

void SequenceScenario::finish(const std::vector<float>& q_norm, const std::vector<float>& k_norm,
                              const std::vector<float>& cos, const std::vector<float>& sin) {
  finished_q = q;
  finished_k = k;
  const int dim = shape.head_dim;
  for (int t = 0; t < tokens; ++t) {
    float* q_row = finished_q.data() + at(t, 0, query_heads() * dim);
    float* k_row = finished_k.data() + at(t, 0, shape.kv_heads * dim);
    if (shape.norms) {
      reference_ops().rmsnorm({q_row, dim, q_norm.data(), kHeadEps, query_heads(), dim, q_row, dim});
      reference_ops().rmsnorm({k_row, dim, k_norm.data(), kHeadEps, shape.kv_heads, dim, k_row, dim});
    }
    const auto zero_borrowed = [&] {
      for (int head = 0; head < shape.kv_heads; ++head) q_row[(head * shape.group + 1) * dim - 1] = 0;
    };
    if (shape.gate.borrowed_neuron) zero_borrowed();
    const std::size_t angles = at(t, 0, dim / 2);
    for (int head = 0; head < query_heads(); ++head) {
      rope_rotate(q_row + head * dim, dim, cos.data() + angles, sin.data() + angles);
    }
    for (int head = 0; head < shape.kv_heads; ++head) {
      rope_rotate(k_row + head * dim, dim, cos.data() + angles, sin.data() + angles);
    }
    if (shape.gate.borrowed_neuron && shape.gate.zero_after_rope) zero_borrowed();
  }
}

void SequenceScenario::judge(const std::vector<float>& q_norm) {
  const GateRule& rule = shape.gate;
  const int dim = shape.head_dim;
  for (int t = 0; t < tokens; ++t) {
    for (int head = 0; head < shape.kv_heads; ++head) {
      const int source = rule.per_layer ? 0 : head;
      const float* q_head = q.data() + at(t, source * shape.group * dim, query_heads() * dim);
      float gate = shape.raw_gates ? raw[at(t, source, shape.kv_heads)] : q_head[dim - 1];
      if (rule.borrowed_neuron && shape.norms) {
        float squares = 0;
        for (int d = 0; d < dim; ++d) squares += q_head[d] * q_head[d];
        gate *= q_norm[static_cast<std::size_t>(dim - 1)] /
                std::sqrt(squares / static_cast<float>(dim) + kHeadEps);
      }
      gate = gate * rule.scale - rule.offset;
      float norm = 0;
      for (int d = 0; d < dim; ++d) {
        const float value = finished_k[at(t, head * dim + d, shape.kv_heads * dim)];
        norm += value * value;
      }
      float logit = rule.has_gates ? gate : std::numeric_limits<float>::quiet_NaN();
      bool mark = false;
      if (rule.judge == JudgeRule::threshold) mark = static_cast<double>(logit) > rule.threshold;
      if (rule.judge == JudgeRule::window) mark = t >= rule.sinks, logit = mark ? 1.0f : -1.0f;
      if (rule.judge == JudgeRule::key_norm)
        logit = std::sqrt(norm), mark = static_cast<double>(logit) > rule.threshold;
      logits.push_back(logit);
      marked.push_back(mark ? 1 : 0);
    }
  }
}

bool SequenceScenario::leaves(int position, int kv_head) const {
  const int row = position + shape.gate.lag;
  return shape.window >= 0 && row < tokens && marked[at(row, kv_head, shape.kv_heads)] != 0;
}

void SequenceScenario::attend() {
  const int dim = shape.head_dim;
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  out.resize(q.size());
  std::vector<float> keys = finished_k, values = v;  // as the cache holds them
  for (float& value : keys) value = rounded(value);
  for (float& value : values) value = rounded(value);
  for (int s = 0; s < tokens; ++s) {
    for (int kv_head = 0; kv_head < shape.kv_heads; ++kv_head) {
      std::vector<int> visible;
      for (int t = 0; t <= s; ++t) {
        if (shape.window < 0 || s - t <= shape.window || !leaves(t, kv_head)) visible.push_back(t);
      }
      live_at.push_back(static_cast<std::int32_t>(visible.size()));
      for (int head = kv_head * shape.group; head < (kv_head + 1) * shape.group; ++head) {
        const float* query = finished_q.data() + at(s, head * dim, query_heads() * dim);
        std::vector<float> weights;
        float total = 0;
        for (const int t : visible) {
          const float* key = keys.data() + at(t, kv_head * dim, shape.kv_heads * dim);
          float score = 0;
          for (int d = 0; d < dim; ++d) score += query[d] * key[d];
          weights.push_back(std::exp(score * scale));
          total += weights.back();
        }
        float* to = out.data() + at(s, head * dim, query_heads() * dim);
        for (std::size_t i = 0; i < visible.size(); ++i) {
          const float* value = values.data() + at(visible[i], kv_head * dim, shape.kv_heads * dim);
          const float weight = weights[i] / total;
          for (int d = 0; d < dim; ++d) to[d] += weight * value[d];
        }
      }
    }
  }
}

engine::HeadCache SequenceScenario::cache_after(int count, int kv_head, engine::PageArena& arena) const {
  const int window = shape.window >= 0 ? shape.window : kMaxPositions;
  engine::HeadCache cache(layout_of(shape), arena, window, kMaxPositions);
  const int lag = shape.gate.lag;
  for (int t = 0; t < count; ++t) {
    const bool mark = marked[at(t, kv_head, shape.kv_heads)] != 0;  // of token t - lag
    if (lag > 0 && t >= lag && mark) cache.mark(t - lag);
    cache.admit(t);
    if (lag == 0 && mark) cache.mark(t);
  }
  return cache;
}

}  // namespace kernels::cuda::test
