#include "engine/backend/layer_judgement.hpp"

#include <algorithm>

namespace engine {

void LayerJudgement::judge(const Policy& policy, const JudgeInput& input, SequenceOutput& output) {
  first_position_ = input.first_position;
  count_ = input.count;
  lag_ = policy.facts().lag;
  const auto cells = static_cast<std::size_t>(input.kv_heads) * static_cast<std::size_t>(input.count);
  logits_.resize(cells);
  marked_.resize(cells);
  policy.judge(input, {logits_.data(), marked_.data()});

  const std::int32_t skipped = input.count - output.judged;  // columns that judge nothing: before position 0
  for (std::int32_t head = 0; head < input.kv_heads; ++head) {
    const std::int64_t from = std::int64_t{head} * input.count + skipped;
    const std::int64_t to = (std::int64_t{input.layer} * input.kv_heads + head) * output.judged;
    std::copy_n(logits_.begin() + from, output.judged, output.logits.begin() + to);
    std::copy_n(marked_.begin() + from, output.judged, output.marked.begin() + to);
  }
}

bool LayerJudgement::marks(std::int32_t kv_head, std::int32_t position) const {
  const std::int32_t column = position - first_position_ + lag_;
  if (position < 0 || column < 0 || column >= count_) return false;
  return marked_[static_cast<std::size_t>(kv_head) * static_cast<std::size_t>(count_) +
                 static_cast<std::size_t>(column)] != 0;
}

}  // namespace engine
