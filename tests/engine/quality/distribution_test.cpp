#include "engine/quality/distribution.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

namespace {

std::vector<double> probabilities(const std::vector<float>& logits) {
  std::vector<double> p(logits.begin(), logits.end());
  double sum = 0;
  for (double& value : p) sum += value = std::exp(value);
  for (double& value : p) value /= sum;
  return p;
}

double plain_kl(const std::vector<float>& dense, const std::vector<float>& run) {
  const auto p = probabilities(dense), q = probabilities(run);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * std::log(p[i] / q[i]);
  return sum;
}

const std::vector<float> a{1, 2, 3}, b{0, 2.5F, -1}, shifted{1000, 1002.5F, 999};

}  // namespace

TEST_CASE("log_total, makes log probabilities of logits, however large") {
  CHECK(a[1] - engine::log_total(a) == Catch::Approx(std::log(probabilities(a)[1])));
  CHECK(engine::log_total(shifted) - 1000 == Catch::Approx(engine::log_total(b)));
}

TEST_CASE("kl_divergence, is that of the softmaxes, whatever their offset") {
  CHECK(engine::kl_divergence(a, a) == 0);
  CHECK(engine::kl_divergence(a, b) == Catch::Approx(plain_kl(a, b)));
  CHECK(engine::kl_divergence(a, shifted) == Catch::Approx(plain_kl(a, b)));
}

TEST_CASE("top_token, is the likeliest, the first of equals") {
  CHECK(engine::top_token(std::vector<float>{0, 3, 1, 3}) == 1);
  CHECK(engine::same_top(b, shifted));
  CHECK(!engine::same_top(a, b));
}
