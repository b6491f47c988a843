// Which rows of a step's activations become logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/backend.hpp"

namespace engine {

struct HeadRows {
  std::vector<std::int32_t> rows;  // of the activations: first those given out, in the order of the inputs
  std::int64_t given = 0;          // how many are given out; the others are wanted for picks alone
  std::vector<std::int64_t> last;  // per input: index into `rows` of its last position, -1: not wanted
};

// `first_rows[i]`: the row of input i's first token.
HeadRows plan_head_rows(std::span<const StepInput> inputs, std::span<const std::int32_t> first_rows);

}  // namespace engine
