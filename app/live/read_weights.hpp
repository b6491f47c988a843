// Brings a model's weights into memory before its first run needs them, with progress.
#pragma once

#include <functional>

#include "engine/checkpoint/model.hpp"

namespace app::live {

// Weights are memory-mapped and would otherwise be read in the middle of the first step, which then looks
// stuck. Calls `progress` with the share read, 0 to 1; false ends it early. What memory cannot hold the
// kernel drops again.
void read_weights(const engine::Model& model, const std::function<bool(double share)>& progress);

}  // namespace app::live
