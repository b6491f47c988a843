#include "engine/quality/distribution.hpp"

#include <algorithm>
#include <cmath>

namespace engine {

double log_total(std::span<const float> logits) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  return highest + std::log(sum);
}

double kl_divergence(std::span<const float> dense, std::span<const float> run) {
  return kl_divergence(dense, log_total(dense), run, log_total(run));
}

double kl_divergence(std::span<const float> dense, double dense_total, std::span<const float> run,
                     double run_total) {
  double divergence = 0;
  for (std::size_t i = 0; i < dense.size(); ++i) {
    const double log_dense = dense[i] - dense_total;
    divergence += std::exp(log_dense) * (log_dense - (run[i] - run_total));
  }
  return std::max(0.0, divergence);  // below zero by rounding only
}

std::size_t top_token(std::span<const float> logits) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

bool same_top(std::span<const float> dense, std::span<const float> run) {
  return top_token(dense) == top_token(run);
}

}  // namespace engine
