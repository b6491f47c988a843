// Teacher-forced scoring against results of other software (tests/oracle).
#include "engine/session/score.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/engine/support/npy.hpp"
#include "tests/engine/support/random_model.hpp"

namespace {

const std::filesystem::path kFixtures = std::filesystem::path(DMSCOPE_TESTS_DIR) / "oracle" / "fixtures";

struct Scored {
  std::vector<float> logits;
  engine::ScoreOutput output;
};

std::vector<engine::TokenId> read_ids(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istream_iterator<engine::TokenId>(file), std::istream_iterator<engine::TokenId>()};
}

// The command-line arguments of a case as options.
engine::PolicyOptions policy_of(const nlohmann::json& arguments) {
  engine::PolicyOptions policy;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string name = arguments[i];
    const std::string value = arguments[i + 1];
    if (name == "--policy") policy.kind = engine::policy_named(value);
    if (name == "--window") policy.window = std::stoi(value);
    if (name == "--threshold") policy.threshold = std::stod(value);
    if (name == "--sinks") policy.sinks = std::stoi(value);
  }
  return policy;
}

Scored run(const std::shared_ptr<const engine::Model>& model, const std::vector<engine::TokenId>& ids,
           const engine::ScoreOptions& options) {
  Scored scored;
  auto output = engine::score(model, ids, options,
                              [&](std::int64_t, std::int64_t, std::span<const float> logits) {
                                scored.logits.insert(scored.logits.end(), logits.begin(), logits.end());
                                return engine::Status();
                              },
                              {});
  if (!output) FAIL(output.error().message);
  scored.output = std::move(*output);
  return scored;
}

double relative_rms(const std::vector<float>& got, const std::vector<float>& want) {
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    error += std::pow(static_cast<double>(got[i]) - static_cast<double>(want[i]), 2);
    size += std::pow(static_cast<double>(want[i]), 2);
  }
  return std::sqrt(error / size);
}

double relative_to_largest(const std::vector<float>& got, const std::vector<float>& want) {
  double error = 0;
  double largest = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    error = std::max(error, std::fabs(static_cast<double>(got[i]) - static_cast<double>(want[i])));
    largest = std::max(largest, std::fabs(static_cast<double>(want[i])));
  }
  return error / largest;
}

void check_gates(const std::vector<float>& got, const std::vector<float>& want, bool reference) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    CAPTURE(i);
    REQUIRE(std::isnan(got[i]) == std::isnan(want[i]));
    if (std::isnan(want[i])) continue;
    const float limit = reference ? 2e-3f : 0.25f + 0.01f * std::fabs(want[i]);
    REQUIRE(std::fabs(got[i] - want[i]) <= limit);
  }
}

}  // namespace

TEST_CASE("score, logits, gates and live slots of every fixture equal the oracle's") {
  std::ifstream index(kFixtures / "cases.json");
  const nlohmann::json cases = nlohmann::json::parse(index);
  REQUIRE(cases.size() >= 30);
  for (const nlohmann::json& fixture : cases) {
    const std::string name = fixture["name"];
    CAPTURE(name);
    const auto model = engine::load_model(kFixtures / std::string(fixture["model"]));
    if (!model) FAIL(model.error().message);
    const std::filesystem::path expected = kFixtures / std::string(fixture["expected"]);
    const auto ids = read_ids(expected / "ids.txt");
    const auto logits = test::read_npy<float>(expected / "logits.npy");
    const auto live = test::read_npy<std::int32_t>(expected / "live.npy");
    for (const bool reference : {true, false}) {
      for (const engine::ScoreMode mode : {engine::ScoreMode::prefill, engine::ScoreMode::decode}) {
        CAPTURE(reference, mode == engine::ScoreMode::decode);
        engine::ScoreOptions options;
        options.policy = policy_of(fixture["arguments"]);
        options.backend.reference = reference;
        options.backend.threads = 2;
        options.mode = mode;
        const Scored scored = run(*model, ids, options);
        REQUIRE(scored.logits.size() == logits.size());
        if (reference) {
          CHECK(relative_to_largest(scored.logits, logits) <= 2e-4);
        } else {
          CHECK(relative_rms(scored.logits, logits) <= 0.02);
        }
        CHECK(scored.output.live == live);
        if (fixture["gates"])
          check_gates(scored.output.gates, test::read_npy<float>(expected / "gates.npy"), reference);
      }
    }
  }
}

TEST_CASE("score, prefill in chunks equals prefill in one go") {
  const auto model = test::random_model({});
  const auto ids = test::random_ids(model->config.vocab, 100, 1);
  engine::ScoreOptions options;
  options.backend.reference = true;
  options.chunk = 100;
  const Scored whole = run(model, ids, options);
  for (const std::int32_t chunk : {1, 3, 33, 99}) {
    options.chunk = chunk;
    const Scored parts = run(model, ids, options);
    CHECK(parts.output.live == whole.output.live);
    CHECK(relative_to_largest(parts.logits, whole.logits) < 2e-5);
  }
}

TEST_CASE("score, more ids than positions are refused with both numbers") {
  test::RandomModelOptions small;
  small.max_positions = 10;
  const auto model = test::random_model(small);
  const auto ids = test::random_ids(model->config.vocab, 11, 1);
  const auto result = engine::score(model, ids, {}, [](auto, auto, auto) { return engine::Status(); }, {});
  REQUIRE(!result);
  CHECK(result.error().code == engine::ErrorCode::bad_input);
  CHECK(result.error().message.find("11") != std::string::npos);
  CHECK(result.error().message.find("10") != std::string::npos);
}

TEST_CASE("score, a target ratio picks the threshold that the text then shows") {
  test::RandomModelOptions options;
  options.window = 8;
  options.layers = 1;  // calibration is exact where no other layer evicted before
  const auto model = test::random_model(options);
  const auto ids = test::random_ids(model->config.vocab, 300, 2);
  for (const double target : {2.0, 4.0, 8.0}) {
    for (const engine::PolicyKind kind : {engine::PolicyKind::dms, engine::PolicyKind::knorm}) {
      engine::ScoreOptions score_options;
      score_options.policy.kind = kind;
      score_options.policy.target_cr = target;
      score_options.backend.reference = true;
      const Scored scored = run(model, ids, score_options);
      double live = 0;
      for (std::size_t head = 0; head < 2; ++head) live += scored.output.live[head * 300 + 299];
      CHECK(std::fabs(2 * 300 / live - target) < 0.05 * target);
    }
  }
}

TEST_CASE("score, a sink's error stops the pass and is returned") {
  const auto model = test::random_model({});
  const auto ids = test::random_ids(model->config.vocab, 10, 1);
  engine::ScoreOptions options;
  options.mode = engine::ScoreMode::decode;
  int calls = 0;
  const auto result = engine::score(model, ids, options,
                                    [&](auto, auto, auto) {
                                      ++calls;
                                      return engine::Status(engine::failed("disk full"));
                                    },
                                    {});
  REQUIRE(!result);
  CHECK(result.error().message == "disk full");
  CHECK(calls == 1);
}
