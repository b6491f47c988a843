// What every backend refuses before a step.
#pragma once

#include <span>

#include "engine/backend/backend.hpp"

namespace engine {

// A context beyond the model's positions, a token outside its vocabulary.
Status check_inputs(const Model& model, std::span<const StepInput> inputs, const Backend& backend);

}  // namespace engine
