#include "engine/bench/synthetic_policy.hpp"

#include <cmath>

namespace engine {

namespace {

class SyntheticPolicy final : public Policy {
 public:
  SyntheticPolicy(double fraction, std::int32_t window) : fraction_(fraction) {
    facts_.kind = PolicyKind::dms;
    facts_.window = window;
    facts_.by_position = true;
  }

  const PolicyFacts& facts() const override { return facts_; }

  void judge(const JudgeInput& input, const Judgement& out) const override {
    for (std::int32_t i = 0; i < input.count; ++i) {
      const bool evicted = marks(input.first_position + i);
      for (std::int32_t head = 0; head < input.kv_heads; ++head) {
        const std::int64_t at = std::int64_t{head} * input.count + i;
        out.logits[at] = evicted ? 1.0f : -1.0f;
        out.marked[at] = evicted;
      }
    }
  }

 private:
  // Bresenham's line: `fraction` of every run of positions, as evenly as whole positions allow.
  bool marks(std::int32_t position) const {
    return std::floor((position + 1) * fraction_) > std::floor(position * fraction_);
  }

  double fraction_;
  PolicyFacts facts_;
};

}  // namespace

std::unique_ptr<Policy> make_synthetic_policy(double fraction, std::int32_t window) {
  return std::make_unique<SyntheticPolicy>(fraction, window);
}

Result<std::unique_ptr<Policy>> make_dense_policy(const Model& model) {
  PolicyOptions options;
  options.kind = PolicyKind::dense;
  const auto facts = resolve_policy(options, model);
  if (!facts) return facts.error();
  return make_policy(*facts, model);
}

}  // namespace engine
