// What a failing GPU is called in front of people.
#pragma once

#include <string>
#include <string_view>

#include "engine/events/result.hpp"

namespace engine {

// `code` is a cudaError_t, `text` what the runtime says, `doing` what was going on ("a step of 3 tokens").
Error cuda_error(int code, std::string_view text, std::string_view doing);

// Whether the GPU works on after it: only a refused allocation leaves everything as it was.
bool survives_cuda_error(int code);

}  // namespace engine
