#include "app/gui/workbench/device_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace app::gui {

std::vector<DeviceChoice> device_choices(const engine::GpuSurvey& survey, const std::string& preferred) {
  std::vector<DeviceChoice> choices;
  choices.push_back({"auto", survey.reason.empty() ? "automatic: the GPU" : "automatic: the CPU", {}});
  choices.push_back({"cpu", "CPU", {}});
  for (const engine::GpuDevice& gpu : survey.devices) {
    choices.push_back(
        {fmt::format("cuda:{}", gpu.index), fmt::format("GPU {}: {}", gpu.index, gpu.name), gpu.reason});
  }
  const auto is_preferred = [&](const DeviceChoice& choice) { return choice.device == preferred; };
  if (std::none_of(choices.begin(), choices.end(), is_preferred)) {
    const bool any = preferred == "cuda" && survey.reason.empty();
    const std::string reason = survey.devices.empty() ? survey.reason : "there is no such GPU";
    choices.push_back({preferred, any ? "the GPU" : preferred, any ? std::string() : reason});
  }
  return choices;
}

std::string no_profiling_reason(const engine::GpuSurvey& survey, const RunPreferences& preferences) {
  if (preferences.device == "cpu") return "the CPU's operations are always timed";
  return survey.reason;
}

void apply(const RunPreferences& preferences, RunOptions& options) {
  if (preferences.device == "cpu") {
    options = on_cpu(std::move(options));
    return;
  }
  options.device.device = preferences.device;
  options.profile = preferences.profile;
  options.measure_cost = preferences.measure_cost && preferences.profile != "off";
}

RunOptions on_cpu(RunOptions options) {
  options.device.device = "cpu";
  options.device.no_graph = false;
  options.profile.reset();
  options.measure_cost = false;
  return options;
}

}  // namespace app::gui
