#include "kernels/cuda/sampling.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <limits>

#include "engine/session/sampler.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace kernels::cuda::test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Draws {
  double temperature = 1;
  double top_p = 1;
  std::int32_t top_k = 0;
};

// The state in which engine::Sampler starts (its constructor's rule).
std::uint64_t generator_state(std::uint64_t seed, int chain) {
  std::uint64_t z =
      seed + 0x632be59bd9b4e019u * (static_cast<std::uint64_t>(chain) + 1) + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::vector<std::int32_t> sample(const Device& device, const std::vector<float>& logits, int vocab,
                                 const std::vector<Draws>& draws, std::vector<std::uint64_t>& random) {
  std::vector<float> temperature;
  std::vector<double> top_p;
  std::vector<std::int32_t> top_k;
  for (const Draws& row : draws) {
    temperature.push_back(static_cast<float>(row.temperature));
    top_p.push_back(row.top_p);
    top_k.push_back(row.top_k);
  }
  const auto device_logits = upload(device, logits);
  const auto device_temperature = upload(device, temperature);
  const auto device_top_p = upload(device, top_p);
  const auto device_top_k = upload(device, top_k);
  const auto device_random = upload(device, random);
  const DeviceArray<float> weights(logits.size());
  const DeviceArray<std::int32_t> tokens(draws.size());
  SampleArgs args;
  args.logits = device_logits.data();
  args.stride = vocab;
  args.rows = static_cast<int>(draws.size());
  args.vocab = vocab;
  args.temperature = device_temperature.data();
  args.top_p = device_top_p.data();
  args.top_k = device_top_k.data();
  args.random = device_random.data();
  args.weights = weights.data();
  args.tokens = tokens.data();
  launch_sample(args, device.stream());
  random = download(device, device_random);
  return download(device, tokens);
}

TEST_CASE("the likeliest token is the first of the largest logits, whatever else is in the row",
          "[cuda][sampling]") {
  const Device device;
  const int kVocab = GENERATE(9000, 4503);  // rows that begin at multiples of 16 bytes, and some that do not
  std::vector<std::vector<float>> rows(6, std::vector<float>(static_cast<std::size_t>(kVocab), -1.0f));
  std::vector<std::int32_t> want(6, 0);
  rows[0].back() = 3.0f, want[0] = kVocab - 1;
  rows[1][700] = rows[1][1724] = rows[1][701] = 2.0f, want[1] = 700;  // 1724 is the same thread's
  rows[2][5] = 1.0f, rows[2][2] = kNaN, want[2] = 5;
  rows[3].assign(rows[3].size(), kNaN);        // nothing: 0
  rows[4].assign(rows[4].size(), -kInfinity);  // all the same
  rows[5][0] = kNaN, rows[5][1] = kInfinity, want[5] = 1;
  std::vector<float> logits;
  for (const auto& row : rows) logits.insert(logits.end(), row.begin(), row.end());
  const auto device_logits = upload(device, logits);
  const DeviceArray<std::int32_t> tokens(rows.size());
  launch_argmax({device_logits.data(), kVocab, static_cast<int>(rows.size()), kVocab, tokens.data(), true},
                device.stream());
  REQUIRE(download(device, tokens) == want);
  for (std::size_t i = 0; i < rows.size(); ++i) REQUIRE(engine::likeliest(rows[i]) == want[i]);
}

TEST_CASE("draws are the host sampler's", "[cuda][sampling]") {
  const Device device;
  constexpr int kVocab = 1500;
  Random random(1);
  const std::vector<Draws> rows = {{0, 1, 0},   {1, 1, 0},     {0.7, 1, 0},   {1.5, 1, 12}, {1, 1, 1},
                                   {1, 0.9, 0}, {0.8, 0.5, 0}, {2, 0.95, 40}, {1, 0.01, 0}, {1, 1, 5000}};
  std::vector<float> logits = random.normals(static_cast<std::int64_t>(rows.size()) * kVocab);
  // Many equal weights, at the border too.
  for (float& logit : logits) logit = std::round(logit * 4) / 4;
  std::vector<engine::Sampler> samplers;
  std::vector<std::uint64_t> states;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Draws& draw = rows[i];
    samplers.emplace_back(engine::SamplingOptions{draw.temperature, draw.top_p, draw.top_k, 9},
                          static_cast<int>(i));
    states.push_back(generator_state(9, static_cast<int>(i)));
  }
  for (int step = 0; step < 2; ++step) {
    const std::vector<std::int32_t> got = sample(device, logits, kVocab, rows, states);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      INFO("step " << step << ", temperature " << rows[i].temperature << ", top-k " << rows[i].top_k
                   << ", top-p " << rows[i].top_p);
      REQUIRE(got[i] == samplers[i].sample({logits.data() + i * kVocab, kVocab}));
    }
  }
}

TEST_CASE("nothing is drawn from a row of NaN, and its generator stands still", "[cuda][sampling]") {
  const Device device;
  std::vector<std::uint64_t> states = {77};
  REQUIRE(sample(device, std::vector<float>(40, kNaN), 40, {{1, 1, 0}}, states) ==
          std::vector<std::int32_t>{0});
  REQUIRE(states[0] == 77);
}

}  // namespace
}  // namespace kernels::cuda::test
