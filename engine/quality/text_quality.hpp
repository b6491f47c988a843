// What compression costs on a given text: one dense pass over its tokens, and beside it one pass per policy,
// compared prediction by prediction.
//
// All passes share the weights; each has a cache of its own. Memory beyond that: the logits of one chunk per
// pass, whatever the text's length.
#pragma once

#include <cmath>
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

struct CacheCost {
  std::int64_t dense_slots = 0;      // tokens times layers times KV heads, at the end
  std::int64_t live_slots = 0;       // at the end, which is the peak: a head's slots never decrease
  std::int64_t allocated_slots = 0;  // of the pages held
  std::int64_t kv_reads = 0;         // slots read by attention, summed over the run

  double ratio() const { return live_slots > 0 ? double(dense_slots) / double(live_slots) : 1; }
};

struct TextQuality {
  PolicyFacts policy;            // with the threshold that a target ratio was turned into
  std::string notice;            // of the calibration; empty: nothing to say
  std::int64_t predictions = 0;  // positions whose next token is in the text
  double nll = 0;                // sum of -log p(next token), in nats
  double kl = 0;                 // sum of KL(dense || this), in nats
  std::int64_t top1 = 0;         // predictions with the dense pass's likeliest token
  CacheCost cost;

  double perplexity() const { return std::exp(nll / static_cast<double>(predictions)); }
  double mean_kl() const { return kl / static_cast<double>(predictions); }
  double top1_agreement() const { return static_cast<double>(top1) / static_cast<double>(predictions); }
};

// Called with the tokens that all passes have processed; may be empty.
using TextProgress = std::function<void(std::int64_t done)>;

// One result per policy, in their order. At least two ids, all inside the vocabulary.
Result<std::vector<TextQuality>> measure_text(std::shared_ptr<const Model> model,
                                              std::span<const TokenId> ids,
                                              std::span<const PolicyOptions> policies,
                                              const BackendOptions& backend, std::stop_token stop,
                                              const TextProgress& progress = {});

}  // namespace engine
