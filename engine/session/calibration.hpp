// The threshold that meets a target compression ratio on a given prompt.
//
// One pass over the prompt with nothing evicted collects every decision logit; the threshold is the quantile
// that leaves `tokens / ratio` live slots per head on average at the prompt's end, the window included. A
// prompt too short for that (its window alone exceeds the target) gets the quantile that keeps one token in
// `ratio`, which is what the ratio tends to as the text grows. An estimate above layer 0: evictions change
// what later layers see.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "engine/backend/backend.hpp"
#include "engine/checkpoint/model.hpp"
#include "engine/events/result.hpp"
#include "engine/policy/policy.hpp"

namespace engine {

struct Calibration {
  double threshold = 0;
  std::string notice;  // what the user should know, empty if nothing
};

// Called with the prompt tokens processed so far; may be empty.
using CalibrationProgress = std::function<void(std::int32_t done)>;

Result<Calibration> calibrate(std::shared_ptr<const Model> model, const PolicyFacts& facts,
                              std::span<const TokenId> prompt, const BackendOptions& options,
                              std::stop_token stop, const CalibrationProgress& progress = {});

// The policy of a run over `prompt`: options resolved, and the threshold calibrated where a ratio is asked
// for.
struct PreparedPolicy {
  PolicyFacts facts;
  std::string notice;
};
Result<PreparedPolicy> prepare_policy(std::shared_ptr<const Model> model, const PolicyOptions& options,
                                      std::span<const TokenId> prompt, const BackendOptions& backend,
                                      std::stop_token stop, const CalibrationProgress& progress = {});

}  // namespace engine
