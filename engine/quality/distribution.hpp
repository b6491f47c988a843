// What two rows of logits say of each other, as distributions over the vocabulary. Pure functions; a row is
// not empty and holds finite numbers.
#pragma once

#include <cstddef>
#include <span>

namespace engine {

// log(sum(exp(logits))): a token's log probability is its logit less this.
double log_total(std::span<const float> logits);

// KL(dense || run) in nats; the second form for callers that have the rows' log_total.
double kl_divergence(std::span<const float> dense, std::span<const float> run);
double kl_divergence(std::span<const float> dense, double dense_total, std::span<const float> run,
                     double run_total);

// Index of the likeliest token, the first of equals.
std::size_t top_token(std::span<const float> logits);
bool same_top(std::span<const float> dense, std::span<const float> run);

}  // namespace engine
