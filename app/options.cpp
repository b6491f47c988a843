#include "app/options.hpp"

#include <filesystem>
#include <system_error>

#include "app/arguments.hpp"

namespace app {

namespace {

constexpr std::int64_t kMaxThreads = 1024;

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

}  // namespace

void add_device_options(CLI::App& command, DeviceOptions& options) {
  command.add_option("--device", options.device, "auto, cpu or cuda (default auto)")->type_name("NAME");
  add_integer(command, "--threads", options.threads, 1, kMaxThreads, "CPU threads (default: every core)");
  command.add_flag("--reference", options.reference, "Plain float32 kernels: slow, the oracle of all others");
  command.add_flag("--no-graph", options.no_graph, "CUDA: launch kernels one by one");
}

engine::Result<engine::BackendOptions> to_backend_options(const DeviceOptions& options) {
  if (options.device == "cuda") return engine::bad_input("--device cuda: not built in this version, use cpu");
  if (options.device != "auto" && options.device != "cpu") {
    return engine::bad_input("--device: expected auto, cpu or cuda, got '{}'", options.device);
  }
  if (options.no_graph) return engine::bad_input("--no-graph: has a meaning with --device cuda only");
  engine::BackendOptions backend;
  backend.threads = options.threads;
  backend.reference = options.reference;
  return backend;
}

std::string device_notice(const DeviceOptions& options) {
  std::error_code ignored;
  if (options.device != "auto" || !std::filesystem::exists("/dev/nvidia0", ignored)) return {};
  return "--device auto: there is an NVIDIA GPU, but this version has no CUDA backend; it ran on the CPU";
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
