#include "engine/session/dense_shadow.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <vector>

#include "engine/quality/distribution.hpp"
#include "engine/session/score.hpp"
#include "engine/session/session.hpp"
#include "tests/engine/support/random_model.hpp"

namespace {

using Key = std::pair<engine::SequenceId, std::int32_t>;

struct Measures final : engine::EventSink {
  void on_event(engine::Event event) override {
    if (const auto* quality = std::get_if<engine::QualityMeasured>(&event)) {
      CHECK(measured[quality->measure]
                .emplace(Key{quality->sequence, quality->position}, quality->value)
                .second);
    }
    if (const auto* started = std::get_if<engine::RunStarted>(&event)) operations = started->operations;
    if (const auto* spans = std::get_if<engine::SpansRecorded>(&event)) {
      for (const engine::Span& span : spans->spans) shadow_spans += is_shadow(span) ? 1 : 0;
    }
  }
  bool is_shadow(const engine::Span& span) const {
    return operations.at(static_cast<std::size_t>(span.operation)) == "dense_shadow";
  }
  std::map<std::string, std::map<Key, double>> measured;
  std::vector<std::string> operations;
  int shadow_spans = 0;
};

struct Setup {
  engine::SessionOptions options;
  engine::RunRequest request;
  std::shared_ptr<const engine::Model> model = test::random_model({});

  Setup() {
    options.backend.threads = 2;
    options.backend.reference = true;
    options.max_tokens = 12;
    options.ignore_eos = true;
    options.chunk = 7;
    options.quality = engine::QualityPass::answers;
    request.prompt = test::random_ids(61, 20, 3);
  }

  engine::RunSummary run(Measures& measures) const {
    auto summary = engine::run_session(model, nullptr, options, request, measures);
    if (!summary) FAIL(summary.error().message);
    return *summary;
  }

  std::vector<float> logits(engine::PolicyKind kind, const std::vector<engine::TokenId>& ids) const {
    engine::ScoreOptions score;
    score.policy.kind = kind;
    score.backend = options.backend;
    std::vector<float> all;
    const auto out = engine::score(model, ids, score,
                                   [&](std::int64_t, std::int64_t, std::span<const float> rows) {
                                     all.insert(all.end(), rows.begin(), rows.end());
                                     return engine::Status{};
                                   },
                                   {});
    if (!out) FAIL(out.error().message);
    return all;
  }
};

std::vector<double> probabilities(std::span<const float> logits) {
  std::vector<double> p(logits.begin(), logits.end());
  double sum = 0;
  for (double& value : p) sum += value = std::exp(value);
  for (double& value : p) value /= sum;
  return p;
}

double plain_kl(std::span<const float> dense, std::span<const float> run) {
  const auto p = probabilities(dense), q = probabilities(run);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * std::log(p[i] / q[i]);
  return sum;
}

// Against two teacher-forced passes over what the run wrote.
void check_against_score(const Setup& setup, const engine::RunSummary& summary, const Measures& measures,
                         std::int32_t first) {
  std::size_t different = 0;
  for (std::size_t chain = 0; chain < summary.ids.size(); ++chain) {
    std::vector<engine::TokenId> ids = setup.request.prompt;
    ids.insert(ids.end(), summary.ids[chain].begin(), summary.ids[chain].end() - 1);
    const auto dense = setup.logits(engine::PolicyKind::dense, ids);
    const auto dms = setup.logits(engine::PolicyKind::dms, ids);
    for (std::size_t t = chain == 0 ? static_cast<std::size_t>(first) : 20; t < ids.size(); ++t) {
      const auto dense_row = std::span(dense).subspan(t * 61, 61);
      const auto dms_row = std::span(dms).subspan(t * 61, 61);
      const Key key{static_cast<engine::SequenceId>(chain), static_cast<std::int32_t>(t)};
      INFO("chain " << chain << ", position " << t);
      const double expected = plain_kl(dense_row, dms_row);
      CHECK(measures.measured.at("kl").at(key) == Catch::Approx(expected).epsilon(1e-3).margin(1e-7));
      CHECK((measures.measured.at("top1").at(key) == 1) == engine::same_top(dense_row, dms_row));
      if (expected > 1e-4) ++different;
    }
  }
  CHECK(different > 5);  // the policy evicts something that matters
}

}  // namespace

TEST_CASE("run_session, a dense run agrees with its dense shadow") {
  Setup setup;
  setup.options.policy.kind = engine::PolicyKind::dense;
  setup.options.chains = 2;
  setup.options.sampling.temperature = 1;
  Measures measures;
  const engine::RunSummary summary = setup.run(measures);
  REQUIRE(measures.measured["kl"].size() == 1 + 2 * 11);  // the prompt's last position, then both chains
  for (const auto& [position, kl] : measures.measured["kl"]) CHECK(kl < 1e-6);
  for (const auto& [position, same] : measures.measured["top1"]) CHECK(same == 1);
  CHECK(summary.mean_kl < 1e-6);
  CHECK(summary.top1_agreement == 1);
  CHECK(summary.quality_positions == 23);
}

TEST_CASE("run_session, quality of an evicting run is what two scoring passes give") {
  Setup setup;
  setup.options.chains = 2;
  setup.options.sampling.temperature = 1;
  Measures measures;
  const engine::RunSummary summary = setup.run(measures);
  CHECK(measures.measured["kl"].size() == 23);
  check_against_score(setup, summary, measures, 19);
  CHECK(summary.quality_seconds > 0);
  CHECK(measures.shadow_spans == 3 + 11);  // what it costs is in the timeline
}

TEST_CASE("run_session, quality of the prompt's positions comes when asked for") {
  Setup setup;
  setup.options.quality = engine::QualityPass::everything;
  Measures measures;
  const engine::RunSummary summary = setup.run(measures);
  CHECK(measures.measured["kl"].size() == 31);
  check_against_score(setup, summary, measures, 0);
}

TEST_CASE("run_session, measuring quality changes nothing about the run") {
  Setup setup;
  Measures measures;
  const auto measured = setup.run(measures);
  setup.options.quality = engine::QualityPass::everything;
  Measures more;
  CHECK(setup.run(more).ids == measured.ids);
  setup.options.quality = engine::QualityPass::off;
  Measures none;
  const auto plain = setup.run(none);
  CHECK(plain.ids == measured.ids);
  CHECK(plain.live_slots == measured.live_slots);
  CHECK(plain.quality_positions == 0);
  CHECK(none.measured.empty());
  CHECK(std::find(none.operations.begin(), none.operations.end(), "dense_shadow") == none.operations.end());
}
