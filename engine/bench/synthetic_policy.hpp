// A policy that evicts a chosen fraction of all tokens, evenly spread, in every head alike: what a given
// amount of eviction does to speed and memory, whatever a checkpoint's gates would decide.
#pragma once

#include <memory>

#include "engine/policy/policy.hpp"

namespace engine {

// `fraction` in [0, 1]; evicted `window` steps after they came.
std::unique_ptr<Policy> make_synthetic_policy(double fraction, std::int32_t window);

// What it is compared with.
Result<std::unique_ptr<Policy>> make_dense_policy(const Model& model);

}  // namespace engine
