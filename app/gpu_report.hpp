// What `dmscope info` says about GPUs, for programs and for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/backend/devices.hpp"
#include "profiling/gpu/gpu_tools.hpp"

namespace app {

// Null where this build has no CUDA backend.
nlohmann::ordered_json gpu_json(const engine::GpuSurvey& survey);
// One line, and one for each GPU.
std::string gpu_text(const engine::GpuSurvey& survey);
// What GPUs are profiled with.
nlohmann::ordered_json tool_json(const profiling::GpuTool& tool);
std::string tool_text(const char* name, const profiling::GpuTool& tool);

}  // namespace app
