#include "app/options.hpp"

#include "app/arguments.hpp"
#include "engine/backend/devices.hpp"

namespace app {

namespace {

constexpr std::int64_t kMaxThreads = 1024;
constexpr std::int64_t kMaxGpu = 255;

bool is_built(engine::PolicyKind kind) {
  switch (kind) {
    case engine::PolicyKind::dense:
    case engine::PolicyKind::dms:
    case engine::PolicyKind::window:
    case engine::PolicyKind::knorm:
      return true;
    case engine::PolicyKind::tova:
    case engine::PolicyKind::h2o:
    case engine::PolicyKind::quest:
    case engine::PolicyKind::dmc:
      return false;
  }
  return false;
}

// "auto", "cpu", "cuda" or "cuda:N"
engine::Status read_device(const std::string& name, engine::BackendOptions& backend) {
  if (name == "auto") {
    backend.device = engine::Device::automatic;
  } else if (name == "cpu") {
    backend.device = engine::Device::cpu;
  } else if (name == "cuda") {
    backend.device = engine::Device::cuda;
  } else {
    const auto index = name.starts_with("cuda:") ? parse_integer(name.substr(5), 0, kMaxGpu) : std::nullopt;
    if (!index) return engine::bad_input("--device: expected auto, cpu, cuda or cuda:N, got '{}'", name);
    backend.device = engine::Device::cuda;
    backend.gpu = static_cast<int>(*index);
  }
  return {};
}

engine::Error gpu_refused(engine::Error error) {
  error.about_gpu = true;
  return error;
}

// Before anything is loaded: a GPU that cannot be used is a matter of the arguments.
engine::Status check_gpu(int index) {
  const engine::GpuSurvey survey = engine::survey_gpus();
  if (!survey.reason.empty()) return gpu_refused(engine::bad_input("--device cuda: {}", survey.reason));
  for (const engine::GpuDevice& gpu : survey.devices) {
    if (gpu.index != index) continue;
    if (gpu.reason.empty()) return {};
    return gpu_refused(engine::bad_input("--device cuda:{}: {}: {}", index, gpu.name, gpu.reason));
  }
  return gpu_refused(
      engine::bad_input("--device cuda:{}: expected 0 to {}", index, survey.devices.size() - 1));
}

}  // namespace

void add_device_options(CLI::App& command, DeviceOptions& options) {
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:N (default auto)")
      ->type_name("NAME");
  add_integer(command, "--threads", options.threads, 1, kMaxThreads, "CPU threads (default: every core)");
  command.add_flag("--reference", options.reference, "Plain float32 kernels: slow, the oracle of all others");
  command.add_flag("--no-graph", options.no_graph, "CUDA: launch kernels one by one");
}

engine::Result<engine::BackendOptions> to_backend_options(const DeviceOptions& options) {
  engine::BackendOptions backend;
  if (auto status = read_device(options.device, backend); !status) return status.error();
  const bool cuda = backend.device == engine::Device::cuda;
  if (options.no_graph && !cuda)
    return engine::bad_input("--no-graph: has a meaning with --device cuda only");
  if (options.reference && cuda) {
    return engine::bad_input("--reference: runs on the CPU, cannot be used together with --device cuda");
  }
  if (cuda) {
    if (auto status = check_gpu(backend.gpu); !status) return status.error();
  }
  backend.threads = options.threads;
  backend.reference = options.reference;
  backend.graph = !options.no_graph;
  return backend;
}

void add_policy_options(CLI::App& command, PolicyArguments& arguments) {
  command
      .add_option("--policy", arguments.name,
                  "dms, dense, window or knorm (default: dms for a DMS checkpoint, else dense)")
      ->type_name("NAME");
  engine::PolicyOptions& options = arguments.options;
  add_integer(command, "--window", options.window, 0, kMaxInt32, "Steps a marked token stays visible");
  add_real(command, "--threshold", options.threshold, {},
           "A token is marked if its logit is above (default 0)");
  add_real(command, "--target-cr", options.target_cr, {.low = 1, .expected = "a finite number of at least 1"},
           "Compression ratio to calibrate the threshold for (knorm: default 4)");
  add_integer(command, "--sinks", options.sinks, 0, kMaxInt32,
              "window: first tokens that are never evicted (default 4)");
}

engine::Result<engine::PolicyOptions> to_policy_options(const PolicyArguments& arguments) {
  engine::PolicyOptions options = arguments.options;
  if (arguments.name) {
    options.kind = engine::policy_named(*arguments.name);
    if (!options.kind) {
      return engine::bad_input("--policy: expected dms, dense, window or knorm, got '{}'", *arguments.name);
    }
    if (!is_built(*options.kind))
      return engine::bad_input("--policy {}: not built in this version", *arguments.name);
  }
  if (options.target_cr && options.threshold) {
    return engine::bad_input("--target-cr: cannot be used together with --threshold, which it chooses");
  }
  return options;
}

void add_sampling_options(CLI::App& command, engine::SamplingOptions& options) {
  add_real(command, "--temperature", options.temperature,
           {.low = 0, .expected = "a finite number of at least 0"}, "0 is greedy (default 0)");
  add_real(command, "--top-p", options.top_p,
           {.low = 0, .high = 1, .low_excluded = true, .expected = "a number above 0 and at most 1"},
           "Sample from the likeliest tokens that together reach this probability (default 1)");
  add_integer(command, "--top-k", options.top_k, 0, kMaxInt32,
              "Sample from the N likeliest tokens (default 0: all)");
  command
      .add_option_function<std::string>(
          "--seed",
          [&options](const std::string& text) { options.seed = detail::checked_unsigned("--seed", text); },
          "Seed of the sampler (default 0)")
      ->type_name("N");
}

}  // namespace app
