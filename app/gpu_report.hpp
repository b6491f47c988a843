// What `dmscope info` says about GPUs, for programs and for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/backend/devices.hpp"

namespace app {

// Null where this build has no CUDA backend.
nlohmann::ordered_json gpu_json(const engine::GpuSurvey& survey);
// One line, and one for each GPU.
std::string gpu_text(const engine::GpuSurvey& survey);

}  // namespace app
