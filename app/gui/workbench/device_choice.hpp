// Where runs go, as the user prefers it, and what there is to choose from.
#pragma once

#include <string>
#include <vector>

#include "app/run_setup.hpp"
#include "engine/backend/devices.hpp"

namespace app::gui {

// Of this machine rather than of a run: kept in the settings.
struct RunPreferences {
  std::string device = "auto";    // as --device spells it
  std::string profile = "light";  // as --profile spells it
  bool measure_cost = false;      // what profiling costs, after each run on a GPU
};

struct DeviceChoice {
  std::string device;  // as --device spells it
  std::string title;
  std::string reason;  // why it cannot be chosen; empty: it can
};

// Automatic, the CPU, and every GPU; also the preferred device where there is no such GPU any more.
std::vector<DeviceChoice> device_choices(const engine::GpuSurvey& survey, const std::string& preferred);

// Why nothing can be profiled on the preferred device; empty: it can.
std::string no_profiling_reason(const engine::GpuSurvey& survey, const RunPreferences& preferences);

// The run's device and profile.
void apply(const RunPreferences& preferences, RunOptions& options);
// The same run without a GPU.
RunOptions on_cpu(RunOptions options);

}  // namespace app::gui
