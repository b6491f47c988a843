// Greedy choice among logits.
#pragma once

#include <span>

#include "engine/events/events.hpp"

namespace engine {

// The token of the largest logit, the first of equals. Looks at a vocabulary in a few microseconds.
TokenId likeliest(std::span<const float> logits);

}  // namespace engine
