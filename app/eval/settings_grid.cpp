#include "app/eval/settings_grid.hpp"

#include <algorithm>

#include "app/options.hpp"

namespace app::eval {

namespace {

engine::Result<engine::PolicyKind> kind_named(const std::string& name) {
  PolicyArguments arguments;
  arguments.name = name;
  const auto options = to_policy_options(arguments);
  if (!options) {
    return engine::bad_input("--policies: expected dms, dense, window or knorm with commas between, got '{}'",
                             name);
  }
  return *options->kind;
}

bool has_threshold(engine::PolicyKind kind) {
  return kind == engine::PolicyKind::dms || kind == engine::PolicyKind::knorm;
}

Setting with_window(engine::PolicyKind kind, std::optional<std::int32_t> window) {
  Setting setting;
  setting.name = engine::name_of(kind);
  setting.policy.kind = kind;
  setting.policy.window = window;
  if (window) setting.name += fmt::format(", window {}", *window);
  return setting;
}

void add(std::vector<Setting>& grid, Setting setting) {
  const auto same = [&](const Setting& other) { return other.name == setting.name; };
  if (std::none_of(grid.begin(), grid.end(), same)) grid.push_back(std::move(setting));
}

// One policy with every threshold and ratio.
void add_thresholds(std::vector<Setting>& grid, const Setting& base, const GridOptions& options) {
  for (const double ratio : options.ratios) {
    Setting setting = base;
    setting.name += fmt::format(", CR {:g}", ratio);
    setting.policy.target_cr = ratio;
    add(grid, std::move(setting));
  }
  for (const double threshold : options.thresholds) {
    Setting setting = base;
    setting.name += fmt::format(", threshold {:g}", threshold);
    setting.policy.threshold = threshold;
    add(grid, std::move(setting));
  }
  if (options.ratios.empty() && options.thresholds.empty()) add(grid, base);
}

void add_policy(std::vector<Setting>& grid, engine::PolicyKind kind, const GridOptions& options) {
  if (kind == engine::PolicyKind::dense) return add(grid, with_window(kind, std::nullopt));
  std::vector<std::optional<std::int32_t>> windows(options.windows.begin(), options.windows.end());
  if (kind == engine::PolicyKind::window) {
    for (const double ratio : options.ratios) {
      Setting setting = with_window(kind, std::nullopt);
      setting.name += fmt::format(", CR {:g}", ratio);
      setting.window_for_ratio = ratio;
      add(grid, std::move(setting));
    }
    if (windows.empty() && options.ratios.empty()) windows.emplace_back();
    for (const auto& window : windows) add(grid, with_window(kind, window));
    return;
  }
  if (windows.empty()) windows.emplace_back();
  for (const auto& window : windows) {
    if (has_threshold(kind)) add_thresholds(grid, with_window(kind, window), options);
  }
}

}  // namespace

engine::Result<std::vector<Setting>> settings_grid(const GridOptions& options, const engine::Model& model) {
  std::vector<std::string> policies = options.policies;
  if (policies.empty()) {
    policies.emplace_back("dense");
    if (model.dms.form != engine::GateForm::none) policies.emplace_back("dms");
  }
  std::vector<Setting> grid;
  for (const std::string& name : policies) {
    const auto kind = kind_named(name);
    if (!kind) return kind.error();
    add_policy(grid, *kind, options);
  }
  for (Setting& setting : grid) {
    const auto facts = engine::resolve_policy(setting.policy, model);
    if (!facts) return facts.error();
    setting.sinks = facts->sinks;
  }
  return grid;
}

engine::PolicyOptions policy_for(const Setting& setting, std::int32_t tokens) {
  engine::PolicyOptions policy = setting.policy;
  if (setting.window_for_ratio) {
    // The token itself, the window behind it and the sinks are what is live.
    const auto live = static_cast<std::int32_t>(tokens / *setting.window_for_ratio);
    policy.window = std::max(0, live - setting.sinks - 1);
  }
  return policy;
}

}  // namespace app::eval
