// The policies that only mark tokens. What differs is where the logit comes from.
#include <cmath>
#include <limits>

#include "engine/policy/policy.hpp"

namespace engine {

namespace {

constexpr float kNoLogit = std::numeric_limits<float>::quiet_NaN();

class ClosedFormPolicy : public Policy {
 public:
  explicit ClosedFormPolicy(const PolicyFacts& facts) : facts_(facts) {}
  const PolicyFacts& facts() const override { return facts_; }

 protected:
  // NaN > threshold is false: a token without a logit is kept.
  bool exceeds(float logit) const { return static_cast<double>(logit) > facts_.threshold; }

  // visit(kv_head, i, index into the judgement) for every head and position of the pass.
  template <typename Visit>
  static void for_each(const JudgeInput& input, const Visit& visit) {
    for (std::int32_t head = 0; head < input.kv_heads; ++head) {
      for (std::int32_t i = 0; i < input.count; ++i) visit(head, i, std::int64_t{head} * input.count + i);
    }
  }

  PolicyFacts facts_;
};

// Keeps everything; the model's gates, where it has them, are reported raw.
class DensePolicy final : public ClosedFormPolicy {
 public:
  using ClosedFormPolicy::ClosedFormPolicy;
  void judge(const JudgeInput& input, const Judgement& out) const override {
    for_each(input, [&](std::int32_t head, std::int32_t i, std::int64_t o) {
      out.logits[o] = input.gates != nullptr ? input.gates[head * input.gate_stride + i] : kNoLogit;
      out.marked[o] = 0;
    });
  }
};

// The product's own: gates the model learned.
class DmsPolicy final : public ClosedFormPolicy {
 public:
  using ClosedFormPolicy::ClosedFormPolicy;
  void judge(const JudgeInput& input, const Judgement& out) const override {
    for_each(input, [&](std::int32_t head, std::int32_t i, std::int64_t o) {
      out.logits[o] = input.gates[head * input.gate_stride + i];
      out.marked[o] = exceeds(out.logits[o]);
    });
  }
};

// StreamingLLM: the first `sinks` tokens stay, every other one leaves with the window. The logit is the sign
// of that decision, so that the closed form reads the same as for learned gates.
class WindowPolicy final : public ClosedFormPolicy {
 public:
  using ClosedFormPolicy::ClosedFormPolicy;
  void judge(const JudgeInput& input, const Judgement& out) const override {
    for_each(input, [&](std::int32_t, std::int32_t i, std::int64_t o) {
      const bool sink = input.first_position + i < facts_.sinks;
      out.logits[o] = sink ? -1.0f : 1.0f;
      out.marked[o] = !sink;
    });
  }
};

// kvpress's DMSPress with its key-norm score (score = -|k|, evicted below a threshold): here z = |k|, so
// that, as for learned gates, a larger logit means eviction.
class KeyNormPolicy final : public ClosedFormPolicy {
 public:
  using ClosedFormPolicy::ClosedFormPolicy;
  void judge(const JudgeInput& input, const Judgement& out) const override {
    for_each(input, [&](std::int32_t head, std::int32_t i, std::int64_t o) {
      out.logits[o] = key_norm(input, head, i);
      out.marked[o] = exceeds(out.logits[o]);
    });
  }

 private:
  static float key_norm(const JudgeInput& input, std::int32_t head, std::int32_t i) {
    const float* key = input.keys + i * input.key_stride + head * input.head_dim;
    float sum = 0;
    for (std::int32_t d = 0; d < input.head_dim; ++d) sum += key[d] * key[d];
    return std::sqrt(sum);
  }
};

}  // namespace

std::unique_ptr<Policy> make_policy(const PolicyFacts& facts, const Model&) {
  switch (facts.kind) {
    case PolicyKind::dense:
      return std::make_unique<DensePolicy>(facts);
    case PolicyKind::dms:
      return std::make_unique<DmsPolicy>(facts);
    case PolicyKind::window:
      return std::make_unique<WindowPolicy>(facts);
    case PolicyKind::knorm:
      return std::make_unique<KeyNormPolicy>(facts);
    default:
      return nullptr;  // resolve_policy has refused it
  }
}

}  // namespace engine
