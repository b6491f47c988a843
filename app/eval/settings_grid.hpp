// The settings that an evaluation goes through: policies, each with every window, threshold and target ratio
// that has a meaning for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/checkpoint/model.hpp"
#include "engine/events/result.hpp"
#include "engine/policy/policy.hpp"

namespace app::eval {

struct GridOptions {
  std::vector<std::string> policies;  // empty: dense, and dms where the checkpoint has gates
  std::vector<std::int32_t> windows;  // empty: the policy's own
  std::vector<double> thresholds;     // neither these nor ratios: the policy's own
  std::vector<double> ratios;
};

struct Setting {
  std::string name;  // "dms, window 64, CR 4": what results are found by
  engine::PolicyOptions policy;
  // The sliding window meets a ratio by its length, which depends on the text's: chosen for each.
  std::optional<double> window_for_ratio;
  std::int32_t sinks = 0;  // that it keeps besides, as the policy resolves to
};

// Each setting once, in the order asked for. Every one is checked against the checkpoint.
engine::Result<std::vector<Setting>> settings_grid(const GridOptions& options, const engine::Model& model);

// The policy for a text of `tokens`.
engine::PolicyOptions policy_for(const Setting& setting, std::int32_t tokens);

}  // namespace app::eval
