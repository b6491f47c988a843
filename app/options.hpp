// The option groups that commands share: where to run, which policy, how to sample.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/backend/backend.hpp"
#include "engine/events/result.hpp"
#include "engine/policy/policy.hpp"
#include "engine/session/sampler.hpp"

namespace CLI {
class App;
}

namespace app {

struct DeviceOptions {
  std::string device = "auto";  // auto, cpu, cuda or cuda:N
  std::int32_t threads = 0;     // 0: every core this process may use
  bool reference = false;
  bool no_graph = false;
};

void add_device_options(CLI::App& command, DeviceOptions& options);
// Refuses what this machine cannot run on. `auto` is decided when the backend is made, which says why.
engine::Result<engine::BackendOptions> to_backend_options(const DeviceOptions& options);

struct PolicyArguments {
  std::optional<std::string> name;
  engine::PolicyOptions options;
};

void add_policy_options(CLI::App& command, PolicyArguments& arguments);
// Everything that can be refused without looking at a checkpoint; engine::resolve_policy does the rest.
engine::Result<engine::PolicyOptions> to_policy_options(const PolicyArguments& arguments);

void add_sampling_options(CLI::App& command, engine::SamplingOptions& options);

}  // namespace app
