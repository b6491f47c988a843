#include "app/gui/shell/machine_facts.hpp"

#include <fmt/format.h>

#include <utility>

#include "engine/backend/devices.hpp"
#include "engine/bench/host.hpp"
#include "profiling/gpu/gpu_tools.hpp"

namespace app::gui {

namespace {

std::vector<MachineFact> gpu_facts(const engine::GpuSurvey& survey) {
  std::vector<MachineFact> facts;
  for (const engine::GpuDevice& gpu : survey.devices) {
    const std::string name = fmt::format("{}, compute capability {}.{}, {:.0f} GiB", gpu.name, gpu.major,
                                         gpu.minor, static_cast<double>(gpu.memory_bytes) * 0x1p-30);
    const bool ready = gpu.reason.empty();
    facts.push_back({ready,
                     ready ? fmt::format("GPU {}", gpu.index) : fmt::format("GPU {} unusable", gpu.index),
                     ready ? name + "." : fmt::format("{}: {}.", name, gpu.reason)});
  }
  if (facts.empty()) {
    facts.push_back({false, "No GPU",
                     fmt::format("Everything runs on the CPU backend, more slowly: {}.", survey.reason)});
  }
  return facts;
}

}  // namespace

MachineFact cupti_fact(const engine::GpuSurvey& survey, const profiling::GpuTool& cupti) {
  constexpr const char* kTimers =
      "The kernel timeline shows the backend's own timers, and says so in a badge";
  if (!survey.reason.empty()) return {false, "No CUPTI", fmt::format("Needs a GPU. {}.", kTimers)};
  if (!cupti.reason.empty()) return {false, "No CUPTI", fmt::format("{}: {}.", kTimers, cupti.reason)};
  return {true, "CUPTI", fmt::format("{}, {}.", cupti.version, cupti.path)};
}

std::vector<MachineFact> machine_facts(const std::string& renderer, int width, int height, double scale) {
  const engine::HostInfo host = engine::describe_host();
  std::vector<MachineFact> facts;
  facts.push_back(
      {true, "CPU backend",
       fmt::format("{}, {} {}, {}.{}", host.processor, host.usable_cores,
                   host.usable_cores == 1 ? "core" : "cores", host.instruction_set,
                   host.instruction_set_reason.empty() ? "" : " " + host.instruction_set_reason + ".")});
  const engine::GpuSurvey survey = engine::survey_gpus();
  for (MachineFact& fact : gpu_facts(survey)) facts.push_back(std::move(fact));
  const bool usable = survey.reason.empty();  // without a GPU CUPTI is not even opened
  facts.push_back(cupti_fact(survey, usable ? profiling::find_cupti() : profiling::GpuTool{}));
  facts.push_back(
      {true, "Display", fmt::format("{}, {} × {} at {:.0f} % scale.", renderer, width, height, 100 * scale)});
  return facts;
}

std::string facts_text(const std::vector<MachineFact>& facts) {
  std::string text = "DMScope " DMSCOPE_VERSION "\n";
  for (const MachineFact& fact : facts) text += fmt::format("{}: {}\n", fact.name, fact.text);
  return text;
}

}  // namespace app::gui
