#include "app/gpu_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/run_report.hpp"

namespace app {

namespace {

using Json = nlohmann::ordered_json;

std::string version_or_none(int version) {
  return version == 0 ? "none" : engine::cuda_version_text(version);
}

}  // namespace

Json gpu_json(const engine::GpuSurvey& survey) {
  if (!survey.built) return nullptr;
  Json devices = Json::array();
  for (const engine::GpuDevice& device : survey.devices) {
    devices.push_back({{"index", device.index},
                       {"name", device.name},
                       {"compute_capability", fmt::format("{}.{}", device.major, device.minor)},
                       {"multiprocessors", device.multiprocessors},
                       {"memory_bytes", device.memory_bytes},
                       {"reason", device.reason}});
  }
  return {{"usable", survey.reason.empty()},
          {"reason", survey.reason},
          {"architectures", survey.architectures},
          {"runtime", version_or_none(survey.runtime_version)},
          {"driver", version_or_none(survey.driver_version)},
          {"devices", devices}};
}

std::string gpu_text(const engine::GpuSurvey& survey) {
  if (!survey.built) return fmt::format("cuda       {}\n", survey.reason);
  std::string text =
      fmt::format("cuda       built with {} for {}, driver {}{}\n", version_or_none(survey.runtime_version),
                  survey.architectures, version_or_none(survey.driver_version),
                  survey.reason.empty() ? "" : "; cannot be used: " + survey.reason);
  for (const engine::GpuDevice& device : survey.devices) {
    text += fmt::format("GPU {:<7}{}, compute capability {}.{}, {} multiprocessors, {}{}\n", device.index,
                        device.name, device.major, device.minor, device.multiprocessors,
                        bytes_text(static_cast<std::uintmax_t>(device.memory_bytes)),
                        device.reason.empty() ? "" : "; cannot be used: " + device.reason);
  }
  return text;
}

Json tool_json(const profiling::GpuTool& tool) {
  return {{"usable", tool.reason.empty()},
          {"reason", tool.reason},
          {"version", tool.version},
          {"path", tool.path}};
}

std::string tool_text(const char* name, const profiling::GpuTool& tool) {
  if (!tool.reason.empty()) return fmt::format("{:<11}cannot be used: {}\n", name, tool.reason);
  return fmt::format("{:<11}{}{}{}\n", name, tool.version, tool.version.empty() ? "" : ", ", tool.path);
}

}  // namespace app
