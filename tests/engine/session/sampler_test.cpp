#include "engine/session/sampler.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace {

using engine::Sampler;
using engine::SamplingOptions;

const std::vector<float> kLogits{1.0f, 3.0f, 2.0f, -5.0f, 0.0f};

std::map<engine::TokenId, int> draw(const SamplingOptions& options, int times,
                                    const std::vector<float>& logits = kLogits) {
  Sampler sampler(options, 0);
  std::map<engine::TokenId, int> counts;
  for (int i = 0; i < times; ++i) ++counts[sampler.sample(logits)];
  return counts;
}

SamplingOptions hot(double temperature = 1) {
  SamplingOptions options;
  options.temperature = temperature;
  return options;
}

}  // namespace

TEST_CASE("Sampler, temperature 0 takes the likeliest token, the first of equals") {
  Sampler sampler({}, 0);
  CHECK(sampler.sample(kLogits) == 1);
  CHECK(sampler.sample(std::vector<float>{2, 5, 5}) == 1);
}

TEST_CASE("likeliest, finds the first of the largest at any place of any length") {
  for (const std::size_t size : {1u, 31u, 32u, 33u, 64u, 100u, 49152u}) {
    std::vector<float> logits(size, -3.0f);
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
      auto row = logits;
      row[at] = -2.5f;
      row.back() = -2.5f;
      CHECK(engine::likeliest(row) == static_cast<engine::TokenId>(at));
    }
  }
}

TEST_CASE("likeliest, infinities and NaN do no harm") {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(engine::likeliest(std::vector<float>{0, inf, 1}) == 1);
  CHECK(engine::likeliest(std::vector<float>(40, -inf)) == 0);
  CHECK(engine::likeliest(std::vector<float>(40, nan)) == 0);
  std::vector<float> mixed(40, nan);
  mixed[7] = 1;
  CHECK(engine::likeliest(mixed) == 7);
}

TEST_CASE("Sampler, frequencies follow the softmax") {
  constexpr int kDraws = 20000;
  const auto counts = draw(hot(), kDraws);
  double total = 0;
  for (const float logit : kLogits) total += std::exp(static_cast<double>(logit));
  for (const auto& [token, count] : counts) {
    const double expected = std::exp(static_cast<double>(kLogits[static_cast<std::size_t>(token)])) / total;
    const double deviation = std::sqrt(expected * (1 - expected) / kDraws);
    CHECK(std::fabs(count / static_cast<double>(kDraws) - expected) < 5 * deviation);
  }
}

TEST_CASE("Sampler, top-k draws from the k likeliest only") {
  SamplingOptions options = hot(5);
  options.top_k = 2;
  const auto counts = draw(options, 2000);
  CHECK(counts.size() == 2);
  CHECK(counts.contains(1));
  CHECK(counts.contains(2));
}

TEST_CASE("Sampler, top-p draws from the smallest set that reaches p") {
  // Probabilities 0.5, 0.3, 0.2: p = 0.6 needs the first two.
  const std::vector<float> logits{std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  SamplingOptions options = hot();
  options.top_p = 0.6;
  const auto counts = draw(options, 3000, logits);
  CHECK(counts.size() == 2);
  CHECK(!counts.contains(2));
  options.top_p = 0.4;
  CHECK(draw(options, 100, logits).size() == 1);
}

TEST_CASE("Sampler, the same seed draws the same tokens, another seed or chain others") {
  const std::vector<float> flat(1000, 0.0f);
  const auto tokens = [&](std::uint64_t seed, int chain) {
    SamplingOptions options = hot();
    options.seed = seed;
    Sampler sampler(options, chain);
    std::vector<engine::TokenId> drawn;
    for (int i = 0; i < 20; ++i) drawn.push_back(sampler.sample(flat));
    return drawn;
  };
  CHECK(tokens(1, 0) == tokens(1, 0));
  CHECK(tokens(1, 0) != tokens(2, 0));
  CHECK(tokens(1, 0) != tokens(1, 1));
}

TEST_CASE("Sampler, infinite and NaN logits give a token of the vocabulary") {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::vector<float>& logits :
       {std::vector<float>{nan, nan}, std::vector<float>{-inf, 1, -inf}, std::vector<float>{inf, 1}}) {
    Sampler sampler(hot(), 0);
    const engine::TokenId token = sampler.sample(logits);
    CHECK(token >= 0);
    CHECK(static_cast<std::size_t>(token) < logits.size());
  }
}
