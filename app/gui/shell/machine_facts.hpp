// What the first-start card says about this machine: real facts, and for each missing part why and what works
// anyway.
#pragma once

#include <string>
#include <vector>

#include "engine/backend/devices.hpp"
#include "profiling/gpu/gpu_tools.hpp"

namespace app::gui {

struct MachineFact {
  bool ready = true;
  std::string name;
  std::string text;
};

// What GPU kernels are timed with.
MachineFact cupti_fact(const engine::GpuSurvey& survey, const profiling::GpuTool& cupti);

// `renderer` and the rest describe the window itself.
std::vector<MachineFact> machine_facts(const std::string& renderer, int width, int height, double scale);
// The same as lines, for a report.
std::string facts_text(const std::vector<MachineFact>& facts);

}  // namespace app::gui
