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

// The workspace of an argmax, as it must be before the first.
DeviceArray<std::byte> zeros(const Device& device, std::size_t rows) {
  return upload(device, std::vector<std::byte>(argmax_workspace_bytes(static_cast<int>(rows))));
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
  const DeviceArray<float> weights(draws.size() * sample_weights(vocab));
  const auto workspace = zeros(device, draws.size());
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
  args.workspace = workspace.data();
  args.weights = weights.data();
  args.tokens = tokens.data();
  launch_sample(args, device.stream());
  random = download(device, device_random);
  return download(device, tokens);
}

TEST_CASE("the likeliest token is the first of the largest logits, whatever else is in the row",
          "[cuda][sampling]") {
  const Device device;
  // Rows that begin at multiples of 16 bytes, and some that do not; of one block and of several, the last one
  // full or not.
  const int kVocab = GENERATE(2000, 4503, 8192, 30000, 24581);
  std::vector<std::vector<float>> rows(9, std::vector<float>(static_cast<std::size_t>(kVocab), -1.0f));
  std::vector<std::int32_t> want(rows.size(), 0);
  rows[0].back() = 3.0f, want[0] = kVocab - 1;
  rows[1][700] = rows[1][1724] = rows[1][701] = rows[1].back() = 2.0f, want[1] = 700;
  rows[2][5] = 1.0f, rows[2][2] = kNaN, want[2] = 5;
  rows[3].assign(rows[3].size(), kNaN);        // nothing: 0
  rows[4].assign(rows[4].size(), -kInfinity);  // all the same
  rows[5][0] = kNaN, rows[5][1] = kInfinity, want[5] = 1;
  rows[6][3] = -0.0f, rows[6].back() = 0.0f, want[6] = 3;
  rows[7].assign(rows[7].size(), kNaN), rows[7].back() = -kInfinity, want[7] = kVocab - 1;
  rows[8].assign(rows[8].size(), -kInfinity), rows[8].back() = -3e38f, want[8] = kVocab - 1;
  std::vector<float> logits;
  for (const auto& row : rows) logits.insert(logits.end(), row.begin(), row.end());
  const auto device_logits = upload(device, logits);
  const auto workspace = zeros(device, rows.size());
  for (int launch = 0; launch < 2; ++launch) {  // the second finds the workspace as the first has left it
    const DeviceArray<std::int32_t> tokens(rows.size());
    ArgmaxArgs args{device_logits.data(), kVocab, static_cast<int>(rows.size()), kVocab, workspace.data()};
    args.tokens = tokens.data();
    args.pdl = true;
    launch_argmax(args, device.stream());
    REQUIRE(download(device, tokens) == want);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) REQUIRE(engine::likeliest(rows[i]) == want[i]);
}

// Draws from every row as often as `steps` says, and requires what the host's sampler draws.
void require_host_draws(const Device& device, const std::vector<float>& logits, int vocab,
                        const std::vector<Draws>& rows, int steps) {
  std::vector<engine::Sampler> samplers;
  std::vector<std::uint64_t> states;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Draws& draw = rows[i];
    samplers.emplace_back(engine::SamplingOptions{draw.temperature, draw.top_p, draw.top_k, 9},
                          static_cast<int>(i));
    states.push_back(generator_state(9, static_cast<int>(i)));
  }
  const auto width = static_cast<std::size_t>(vocab);
  for (int step = 0; step < steps; ++step) {
    const std::vector<std::int32_t> got = sample(device, logits, vocab, rows, states);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      INFO("vocab " << vocab << ", step " << step << ", temperature " << rows[i].temperature << ", top-k "
                    << rows[i].top_k << ", top-p " << rows[i].top_p);
      REQUIRE(got[i] == samplers[i].sample({logits.data() + i * width, width}));
    }
  }
}

TEST_CASE("draws are the host sampler's", "[cuda][sampling]") {
  const Device device;
  const int vocab = GENERATE(1, 40, 1500, 16385);
  Random random(1);
  const std::vector<Draws> rows = {{0, 1, 0},   {1, 1, 0},     {0.7, 1, 0},   {1.5, 1, 12}, {1, 1, 1},
                                   {1, 0.9, 0}, {0.8, 0.5, 0}, {2, 0.95, 40}, {1, 0.01, 0}, {1, 1, 5000}};
  std::vector<float> logits = random.normals(static_cast<std::int64_t>(rows.size()) * vocab);
  // Many equal weights, at the border too.
  for (float& logit : logits) logit = std::round(logit * 4) / 4;
  require_host_draws(device, logits, vocab, rows, 2);
}

TEST_CASE("draws are the host sampler's where few, many or all tokens are alike", "[cuda][sampling]") {
  const Device device;
  constexpr int kVocab = 9001;  // more than are listed at once
  const std::vector<Draws> rows = {{1, 1, 0},    {1, 0.75, 0},     {1, 1, 4000},    {1, 0.5, 4000},
                                   {50, 0.9, 0}, {1, 0.999, 8000}, {0.05, 0.95, 0}, {1, 1, 9001}};
  Random random(3);
  std::vector<float> logits = random.normals(static_cast<std::int64_t>(rows.size()) * kVocab);
  SECTION("spread") {}
  SECTION("all alike") {
    logits.assign(logits.size(), 0.25f);
  }
  SECTION("two kinds") {
    for (float& logit : logits) logit = logit > 0 ? 1.0f : 0.0f;
  }
  SECTION("one token beyond all others") {
    for (std::size_t i = 0; i < rows.size(); ++i) logits[i * kVocab + 4321 + i] = 60;
  }
  SECTION("some impossible") {
    for (std::size_t i = 0; i < logits.size(); i += 3) logits[i] = i % 2 == 0 ? -kInfinity : kNaN;
  }
  require_host_draws(device, logits, kVocab, rows, 2);
}

TEST_CASE("of equal tokens top-p keeps exactly the share asked for, the first ones", "[cuda][sampling]") {
  const Device device;
  constexpr int kVocab = 16;
  const std::vector<Draws> rows(32, Draws{1, 0.25, 0});
  std::vector<std::uint64_t> states;
  for (std::uint64_t i = 0; i < rows.size(); ++i) states.push_back(i * 977);
  std::vector<int> drawn(kVocab);
  for (const std::int32_t token :
       sample(device, std::vector<float>(rows.size() * kVocab, 1.0f), kVocab, rows, states)) {
    ++drawn[static_cast<std::size_t>(token)];
  }
  for (std::size_t token = 0; token < drawn.size(); ++token) {
    INFO("token " << token);
    REQUIRE((drawn[token] > 0) == (token < 4));
  }
}

TEST_CASE("a draw depends on its row alone", "[cuda][sampling]") {
  const Device device;
  constexpr int kVocab = 5000;
  constexpr std::size_t kRows = 3;
  Random random(5);
  const std::vector<float> row = random.normals(kVocab);
  const Draws draws{1.3, 0.97, 0};
  std::vector<std::uint64_t> alone = {1234567};
  const std::vector<std::int32_t> want = sample(device, row, kVocab, {draws}, alone);
  std::vector<float> logits;
  for (std::size_t i = 0; i < kRows; ++i) logits.insert(logits.end(), row.begin(), row.end());
  std::vector<std::uint64_t> states(kRows, 1234567);
  REQUIRE(sample(device, logits, kVocab, {draws, draws, draws}, states) ==
          std::vector<std::int32_t>(kRows, want[0]));
  REQUIRE(states == std::vector<std::uint64_t>(kRows, alone[0]));
}

TEST_CASE("an infinite logit is taken, and its row's generator stands still", "[cuda][sampling]") {
  const Device device;
  std::vector<float> logits(50, 1.0f);
  logits[17] = kInfinity;
  std::vector<std::uint64_t> states = {77};
  REQUIRE(sample(device, logits, 50, {{1, 0.9, 5}}, states) == std::vector<std::int32_t>{17});
  REQUIRE(states[0] == 77);
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
