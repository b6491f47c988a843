// Every policy on every gate form and architecture that it can meet: what any backend must get right.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/policy/policy.hpp"
#include "tests/engine/support/random_model.hpp"

namespace test {

struct PolicyCase {
  const char* name;
  RandomModelOptions model;
  engine::PolicyOptions policy;
};

inline engine::PolicyOptions policy_of(engine::PolicyKind kind, std::optional<std::int32_t> window = {},
                                       std::optional<double> threshold = {}) {
  engine::PolicyOptions policy;
  policy.kind = kind;
  policy.window = window;
  policy.threshold = threshold;
  return policy;
}

// `adapter` is a Llama with an adapter, of which the other DMS models are variations; `plain` has no gates.
inline std::vector<PolicyCase> policy_cases(const RandomModelOptions& adapter,
                                            const RandomModelOptions& plain) {
  using engine::PolicyKind;
  RandomModelOptions borrowed = adapter;
  borrowed.gates = engine::GateForm::borrowed_neuron;
  RandomModelOptions qwen3 = borrowed;
  qwen3.architecture = engine::Architecture::qwen3;
  RandomModelOptions fast = qwen3;
  fast.lag = 0;
  fast.zero_after_rope = false;
  RandomModelOptions per_layer = adapter;
  per_layer.per_layer = true;
  engine::PolicyOptions sinks = policy_of(PolicyKind::window, 9);
  sinks.sinks = 3;
  return {{"dms, adapter", adapter, policy_of(PolicyKind::dms)},
          {"dms, adapter, window 0", adapter, policy_of(PolicyKind::dms, 0)},
          {"dms, borrowed neuron", borrowed, policy_of(PolicyKind::dms)},
          {"dms, Qwen3, window 1", qwen3, policy_of(PolicyKind::dms, 1)},
          {"dms, FastDMS form, window 0", fast, policy_of(PolicyKind::dms, 0)},
          {"dms, FastDMS form", fast, policy_of(PolicyKind::dms, 12)},
          {"dms, per layer", per_layer, policy_of(PolicyKind::dms)},
          {"dms, window beyond the text", adapter, policy_of(PolicyKind::dms, 400)},
          {"dense on a DMS checkpoint", qwen3, policy_of(PolicyKind::dense)},
          {"dense on a plain checkpoint", plain, policy_of(PolicyKind::dense)},
          {"window with sinks", plain, sinks},
          {"window on a DMS checkpoint", borrowed, policy_of(PolicyKind::window, 6)},
          {"knorm", plain, policy_of(PolicyKind::knorm, 4, 3.0)}};
}

}  // namespace test
