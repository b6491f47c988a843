// Picks the next token from logits: greedy at temperature 0, else temperature, top-k and top-p (nucleus)
// sampling. Deterministic for a seed on every machine. One Sampler per chain.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/backend/backend.hpp"
#include "engine/backend/likeliest.hpp"
#include "engine/events/events.hpp"

namespace engine {

struct SamplingOptions {
  double temperature = 0;
  double top_p = 1;        // keep the smallest set of likeliest tokens whose probabilities reach this
  std::int32_t top_k = 0;  // 0: all
  std::uint64_t seed = 0;
};

class Sampler {
 public:
  Sampler(const SamplingOptions& options, int chain);
  TokenId sample(std::span<const float> logits);
  // The same for a backend that draws itself: its logits are not needed here, and the generator has moved on.
  TokenChoice take_choice();

 private:
  double uniform();
  void keep_top_k();
  double keep_top_p();  // the weight of what is left
  SamplingOptions options_;
  std::uint64_t state_;
  std::vector<std::pair<float, TokenId>> candidates_;  // (weight, token), reused
};

}  // namespace engine
