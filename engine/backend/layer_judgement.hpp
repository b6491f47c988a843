// What the policy decided about one sequence in one layer during one pass.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend/backend.hpp"
#include "engine/policy/policy.hpp"

namespace engine {

class LayerJudgement {
 public:
  // Asks the policy, and copies logits and decisions of the judged positions into `output`, layer `layer`.
  void judge(const Policy& policy, const JudgeInput& input, SequenceOutput& output);

  // The decision of this pass about a token: false where it made none.
  bool marks(std::int32_t kv_head, std::int32_t position) const;

 private:
  std::int32_t first_position_ = 0;
  std::int32_t count_ = 0;
  int lag_ = 0;
  std::vector<float> logits_;         // [kv_heads, count]
  std::vector<std::uint8_t> marked_;  // [kv_heads, count]
};

}  // namespace engine
