#include "engine/backend/head_rows.hpp"

namespace engine {

HeadRows plan_head_rows(std::span<const StepInput> inputs, std::span<const std::int32_t> first_rows) {
  HeadRows plan;
  plan.last.assign(inputs.size(), -1);
  const auto add = [&](std::size_t input, std::int32_t first) {
    const auto count = static_cast<std::int32_t>(inputs[input].tokens.size());
    for (std::int32_t i = first; i < count; ++i) plan.rows.push_back(first_rows[input] + i);
    plan.last[input] = static_cast<std::int64_t>(plan.rows.size()) - 1;
  };
  const auto last_of = [&](std::size_t input) {
    return static_cast<std::int32_t>(inputs[input].tokens.size()) - 1;
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].logits == LogitRows::none) continue;
    add(i, inputs[i].logits == LogitRows::all ? 0 : last_of(i));
  }
  plan.given = static_cast<std::int64_t>(plan.rows.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].pick && inputs[i].logits == LogitRows::none) add(i, last_of(i));
  }
  return plan;
}

}  // namespace engine
