#include <utility>

#include "engine/backend/backend.hpp"
#include "engine/backend/devices.hpp"

namespace engine {

namespace {

Status check_gpu(const GpuSurvey& survey, int index) {
  if (!survey.reason.empty()) return bad_input("{}", survey.reason);
  for (const GpuDevice& device : survey.devices) {
    if (device.index != index) continue;
    if (device.reason.empty()) return {};
    return bad_input("GPU {} ({}) cannot be used: {}", device.index, device.name, device.reason);
  }
  return bad_input("GPU {}: expected 0 to {}", index, survey.devices.size() - 1);
}

Result<std::unique_ptr<Backend>> try_cuda(const GpuSurvey& survey, std::shared_ptr<const Model> model,
                                          std::unique_ptr<Policy>& policy, const BackendOptions& options) {
  if (options.reference) return bad_input("the plain float32 kernels of --reference run on the CPU only");
  if (auto status = check_gpu(survey, options.gpu); !status) return status.error();
  return make_cuda_backend(std::move(model), policy, options);
}

}  // namespace

Result<std::unique_ptr<Backend>> make_backend(std::shared_ptr<const Model> model,
                                              std::unique_ptr<Policy> policy, const BackendOptions& options) {
  const bool asks_for_cpu = options.reference && options.device == Device::automatic;
  if (options.device == Device::cpu || asks_for_cpu) {
    return make_cpu_backend(std::move(model), std::move(policy), options);
  }
  const GpuSurvey survey = survey_gpus();
  auto cuda = try_cuda(survey, model, policy, options);
  if (cuda) return cuda;
  const Error& reason = cuda.error();
  if (reason.code == ErrorCode::interrupted) return reason;
  if (options.device == Device::cuda) return Error{reason.code, "--device cuda: " + reason.message, true};
  // Where there is no GPU nobody asked for, no run has to say so; `dmscope info` does.
  std::vector<std::string> notices;
  if (survey.present) notices.push_back("ran on the CPU: " + reason.message);
  return make_cpu_backend(std::move(model), std::move(policy), options, std::move(notices));
}

}  // namespace engine
