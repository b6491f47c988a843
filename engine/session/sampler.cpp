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

TokenChoice Sampler::take_choice() {
  const TokenChoice choice{options_.temperature, options_.top_p, options_.top_k, state_};
  if (options_.temperature > 0) next_random(state_);
  return choice;
}

TokenId Sampler::sample(std::span<const float> logits) {
  const TokenId best = likeliest(logits);
  if (options_.temperature <= 0) return best;

  // Tokens so unlikely that they are never drawn in a lifetime cost an exponential each: leave them out.
  constexpr float kNegligible = 30;
  const float top = logits[static_cast<std::size_t>(best)];
  const auto temperature = static_cast<float>(options_.temperature);
  candidates_.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const float scaled = (logits[i] - top) / temperature;
    if (scaled > -kNegligible) candidates_.emplace_back(std::exp(scaled), static_cast<TokenId>(i));
  }
  if (candidates_.empty()) return best;  // only NaN logits get here
  keep_top_k();
  const double total = keep_top_p();
  double remaining = uniform() * total;
  for (const auto& [probability, token] : candidates_) {
    remaining -= static_cast<double>(probability);
    if (remaining < 0) return token;
  }
  return candidates_.back().second;
}

void Sampler::keep_top_k() {
  if (options_.top_k <= 0 || candidates_.size() <= static_cast<std::size_t>(options_.top_k)) return;
  std::nth_element(candidates_.begin(), candidates_.begin() + options_.top_k, candidates_.end(), likelier);
  candidates_.resize(static_cast<std::size_t>(options_.top_k));
  std::sort(candidates_.begin(), candidates_.end(), likelier);
}

double Sampler::keep_top_p() {
  double total = 0;
  for (const auto& candidate : candidates_) total += static_cast<double>(candidate.first);
  if (options_.top_p >= 1) return total;
  // All candidates below this weight together weigh less than 1 - p, so the likelier ones reach p without
  // them: most of the vocabulary need not be sorted.
  const double least = (1 - options_.top_p) * total / static_cast<double>(candidates_.size());
  std::erase_if(candidates_,
                [least](const auto& candidate) { return static_cast<double>(candidate.first) < least; });
  std::sort(candidates_.begin(), candidates_.end(), likelier);
  const double wanted = options_.top_p * total;
  double kept = 0;
  std::size_t count = 0;
  while (count < candidates_.size() && kept < wanted) kept += static_cast<double>(candidates_[count++].first);
  candidates_.resize(count);
  return kept;
}

}  // namespace engine
