// Teacher-forced pass over given ids: logits, gate logits and live slots, streamed row by row so that memory
// does not grow with ids times vocabulary.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/backend/backend.hpp"
#include "engine/checkpoint/model.hpp"
#include "engine/events/result.hpp"
#include "engine/policy/policy.hpp"

namespace engine {

enum class ScoreMode : std::uint8_t { prefill, decode };

struct ScoreOptions {
  PolicyOptions policy;
  BackendOptions backend;
  ScoreMode mode = ScoreMode::prefill;
  std::int32_t chunk = 128;
};

struct ScoreOutput {
  PolicyFacts policy;
  std::string device;                // what it ran on
  std::vector<std::string> notices;  // the backend's, and the calibration's
  std::vector<float> gates;          // [layers, kv_heads, T], NaN where undecided
  std::vector<std::int32_t> live;    // [layers, kv_heads, T]
};

// Called with [rows, vocab] logits for the positions [first, first + rows), in order.
using LogitSink = std::function<Status(std::int64_t first, std::int64_t rows, std::span<const float> logits)>;

Result<ScoreOutput> score(std::shared_ptr<const Model> model, std::span<const TokenId> ids,
                          const ScoreOptions& options, const LogitSink& on_logits, std::stop_token stop);

}  // namespace engine
