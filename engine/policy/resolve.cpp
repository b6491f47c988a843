#include <cmath>

#include "engine/policy/policy.hpp"

namespace engine {

namespace {

constexpr std::int32_t kDefaultWindow = 256;         // the paper's setting, for checkpoints that state none
constexpr std::int32_t kDefaultKeyNormWindow = 128;  // kvpress DMSPress's default
constexpr double kDefaultKeyNormRatio = 4;
constexpr std::int32_t kDefaultSinks = 4;  // StreamingLLM

bool is_built(PolicyKind kind) {
  return kind == PolicyKind::dense || kind == PolicyKind::dms || kind == PolicyKind::window ||
         kind == PolicyKind::knorm;
}

bool takes_threshold(PolicyKind kind) {
  return kind == PolicyKind::dms || kind == PolicyKind::knorm;
}

Status check_meaning(const PolicyOptions& options, PolicyKind kind) {
  const char* name = name_of(kind);
  if (options.threshold && options.target_cr) {
    return bad_input("--target-cr and --threshold exclude each other: a target ratio picks the threshold");
  }
  if (options.threshold && !takes_threshold(kind))
    return bad_input("--threshold has no meaning for --policy {}", name);
  if (options.target_cr && !takes_threshold(kind))
    return bad_input("--target-cr has no meaning for --policy {}", name);
  if (options.window && kind == PolicyKind::dense)
    return bad_input("--window has no meaning for --policy dense");
  if (options.sinks && kind != PolicyKind::window)
    return bad_input("--sinks has no meaning for --policy {}", name);
  return {};
}

Status check_range(const PolicyOptions& options) {
  if (options.window && *options.window < 0)
    return bad_input("--window {}: expected 0 or more steps", *options.window);
  if (options.sinks && *options.sinks < 0)
    return bad_input("--sinks {}: expected 0 or more tokens", *options.sinks);
  if (options.threshold && std::isnan(*options.threshold))
    return bad_input("--threshold nan: expected a number");
  if (options.target_cr && !(*options.target_cr >= 1 && std::isfinite(*options.target_cr))) {
    return bad_input("--target-cr {}: expected a ratio of 1 or more", *options.target_cr);
  }
  return {};
}

std::int32_t default_window(PolicyKind kind, const Model& model) {
  if (model.dms.form != GateForm::none) return model.dms.window;
  return kind == PolicyKind::knorm ? kDefaultKeyNormWindow : kDefaultWindow;
}

}  // namespace

Result<PolicyFacts> resolve_policy(const PolicyOptions& options, const Model& model) {
  const bool has_gates = model.dms.form != GateForm::none;
  const PolicyKind kind = options.kind.value_or(has_gates ? PolicyKind::dms : PolicyKind::dense);
  if (!is_built(kind)) return bad_input("--policy {} is not built in this version", name_of(kind));
  if (kind == PolicyKind::dms && !has_gates) {
    return bad_input(
        "--policy dms: {} has no DMS gates; expected a checkpoint with dms_* keys or dms_metadata.json",
        model.folder.string());
  }
  if (Status status = check_meaning(options, kind); !status) return status.error();
  if (Status status = check_range(options); !status) return status.error();

  PolicyFacts facts;
  facts.kind = kind;
  facts.lag = has_gates && (kind == PolicyKind::dms || kind == PolicyKind::dense) ? model.dms.lag : 0;
  facts.reads_keys = kind == PolicyKind::knorm;
  facts.threshold = options.threshold.value_or(0.0);
  if (kind != PolicyKind::dense) facts.window = options.window.value_or(default_window(kind, model));
  if (kind == PolicyKind::window) facts.sinks = options.sinks.value_or(kDefaultSinks);
  if (options.target_cr) facts.target_cr = *options.target_cr;
  if (kind == PolicyKind::knorm && !options.threshold && !options.target_cr)
    facts.target_cr = kDefaultKeyNormRatio;
  if (kind == PolicyKind::dms && model.dms.disable_eviction) {
    // The checkpoint says so: gates are computed and reported, nothing is evicted.
    facts.kind = PolicyKind::dense;
    facts.window = 0;
    facts.target_cr = 0;
  }
  return facts;
}

}  // namespace engine
