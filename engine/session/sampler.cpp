#include "engine/session/sampler.hpp"

#include <algorithm>
#include <cmath>

namespace engine {

namespace {

// SplitMix64 (Steele, Lea, Flood 2014): tiny, and the same numbers on every machine.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

bool likelier(const std::pair<float, TokenId>& a, const std::pair<float, TokenId>& b) {
  return a.first != b.first ? a.first > b.first : a.second < b.second;
}

}  // namespace

Sampler::Sampler(const SamplingOptions& options, int chain) : options_(options) {
  std::uint64_t mix = options.seed + 0x632be59bd9b4e019u * (static_cast<std::uint64_t>(chain) + 1);
  state_ = next_random(mix);
}

double Sampler::uniform() {
  return static_cast<double>(next_random(state_) >> 11) * 0x1p-53;
}

TokenId Sampler::sample(std::span<const float> logits) {
  const auto best = static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  if (options_.temperature <= 0) return best;

  // Tokens so unlikely that their probability rounds to nothing cannot be drawn; leaving them out keeps the
  // sort short.
  constexpr double kNegligible = 40;
  const float top = logits[static_cast<std::size_t>(best)];
  const auto temperature = static_cast<float>(options_.temperature);
  candidates_.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const float scaled = (logits[i] - top) / temperature;
    if (static_cast<double>(scaled) > -kNegligible) candidates_.emplace_back(scaled, static_cast<TokenId>(i));
  }
  if (candidates_.empty()) return best;  // only NaN logits get here
  std::sort(candidates_.begin(), candidates_.end(), likelier);
  if (options_.top_k > 0 && candidates_.size() > static_cast<std::size_t>(options_.top_k)) {
    candidates_.resize(static_cast<std::size_t>(options_.top_k));
  }
  double total = 0;
  for (auto& [value, token] : candidates_) {
    value = std::exp(value);
    total += static_cast<double>(value);
  }
  if (options_.top_p < 1) {
    const double wanted = options_.top_p * total;
    double kept = 0;
    std::size_t count = 0;
    while (count < candidates_.size() && kept < wanted)
      kept += static_cast<double>(candidates_[count++].first);
    candidates_.resize(std::max<std::size_t>(count, 1));
    total = count > 0 ? kept : static_cast<double>(candidates_[0].first);
  }
  double remaining = uniform() * total;
  for (const auto& [probability, token] : candidates_) {
    remaining -= static_cast<double>(probability);
    if (remaining < 0) return token;
  }
  return candidates_.back().second;
}

}  // namespace engine
