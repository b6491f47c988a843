// Models that are a shape and nothing else: what a speed measurement needs of a checkpoint that is not at
// hand. A GPU fills their weights with random values itself; the CPU cannot run them.
#pragma once

#include <memory>
#include <string_view>

#include "engine/checkpoint/model.hpp"
#include "engine/events/result.hpp"

namespace engine {

// `name` is "llama-3.2-1b" or "qwen3-8b". bf16, without gates. Matrices have no data.
Result<std::shared_ptr<const Model>> make_shape_model(std::string_view name);

}  // namespace engine
