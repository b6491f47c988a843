#include "engine/quality/text_quality.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "engine/quality/distribution.hpp"
#include "engine/session/score.hpp"
#include "tests/engine/support/random_model.hpp"

namespace {

constexpr std::size_t kVocab = 61;

engine::BackendOptions reference() {
  engine::BackendOptions options;
  options.threads = 1;
  options.reference = true;
  return options;
}

engine::PolicyOptions policy(engine::PolicyKind kind) {
  engine::PolicyOptions options;
  options.kind = kind;
  return options;
}

struct Scored {
  std::vector<float> logits;
  std::int64_t live = 0;      // at the end
  std::int64_t kv_reads = 0;  // what every query saw
};

Scored score(const std::shared_ptr<const engine::Model>& model, const std::vector<engine::TokenId>& ids,
             const engine::PolicyOptions& options) {
  engine::ScoreOptions score_options;
  score_options.policy = options;
  score_options.backend = reference();
  Scored scored;
  const auto out = engine::score(model, ids, score_options,
                                 [&](std::int64_t, std::int64_t, std::span<const float> rows) {
                                   scored.logits.insert(scored.logits.end(), rows.begin(), rows.end());
                                   return engine::Status{};
                                 },
                                 {});
  if (!out) FAIL(out.error().message);
  for (std::size_t i = 0; i < out->live.size(); ++i) {
    scored.kv_reads += out->live[i];
    if (i % ids.size() == ids.size() - 1) scored.live += out->live[i];
  }
  return scored;
}

std::vector<engine::TextQuality> measure(const std::shared_ptr<const engine::Model>& model,
                                         const std::vector<engine::TokenId>& ids,
                                         const std::vector<engine::PolicyOptions>& policies) {
  auto measured = engine::measure_text(model, ids, policies, reference(), {});
  if (!measured) FAIL(measured.error().message);
  return *measured;
}

}  // namespace

TEST_CASE("measure_text, gives what scoring passes of each policy give") {
  const auto model = test::random_model({});
  const auto ids = test::random_ids(kVocab, 300, 5);  // more than two chunks
  const std::vector<engine::PolicyOptions> policies{policy(engine::PolicyKind::dms),
                                                    policy(engine::PolicyKind::window)};
  const auto measured = measure(model, ids, policies);
  REQUIRE(measured.size() == 2);
  const Scored dense = score(model, ids, policy(engine::PolicyKind::dense));
  for (std::size_t i = 0; i < policies.size(); ++i) {
    const Scored run = score(model, ids, policies[i]);
    double nll = 0, kl = 0;
    std::int64_t top1 = 0;
    for (std::size_t t = 0; t + 1 < ids.size(); ++t) {
      const auto row = std::span(run.logits).subspan(t * kVocab, kVocab);
      const auto dense_row = std::span(dense.logits).subspan(t * kVocab, kVocab);
      nll -= static_cast<double>(row[static_cast<std::size_t>(ids[t + 1])]) - engine::log_total(row);
      kl += engine::kl_divergence(dense_row, row);
      top1 += engine::same_top(dense_row, row) ? 1 : 0;
    }
    CHECK(measured[i].predictions == 299);
    CHECK(measured[i].nll == Catch::Approx(nll).epsilon(1e-5));
    CHECK(measured[i].kl == Catch::Approx(kl).epsilon(1e-3));
    CHECK(measured[i].top1 == top1);
    CHECK(measured[i].perplexity() == Catch::Approx(std::exp(nll / 299)).epsilon(1e-5));
    CHECK(measured[i].cost.dense_slots == 300 * 6);
    CHECK(measured[i].cost.live_slots == run.live);
    CHECK(measured[i].cost.kv_reads == run.kv_reads);
    CHECK(measured[i].cost.live_slots < measured[i].cost.dense_slots);
    CHECK(measured[i].kl > 0);
  }
}

TEST_CASE("measure_text, a dense policy costs nothing") {
  const auto model = test::random_model({});
  const auto measured = measure(model, test::random_ids(kVocab, 150, 6), {policy(engine::PolicyKind::dense)});
  CHECK(measured[0].mean_kl() < 1e-9);
  CHECK(measured[0].top1_agreement() == 1);
  CHECK(measured[0].cost.ratio() == 1);
}

TEST_CASE("measure_text, a target ratio is met by the threshold it tells") {
  const auto model = test::random_model({});
  const auto ids = test::random_ids(kVocab, 400, 7);
  engine::PolicyOptions target = policy(engine::PolicyKind::dms);
  target.target_cr = 3;
  const auto measured = measure(model, ids, {target});
  CHECK(measured[0].cost.ratio() == Catch::Approx(3).epsilon(0.15));
  engine::PolicyOptions threshold = policy(engine::PolicyKind::dms);
  threshold.threshold = measured[0].policy.threshold;
  CHECK(measure(model, ids, {threshold})[0].nll == measured[0].nll);
}

TEST_CASE("measure_text, refuses a text without a prediction and one that does not fit") {
  const auto model = test::random_model({});
  const std::vector<engine::PolicyOptions> policies{policy(engine::PolicyKind::dms)};
  for (const std::size_t count : {std::size_t{1}, std::size_t{513}}) {
    const auto measured =
        engine::measure_text(model, test::random_ids(kVocab, count, 8), policies, reference(), {});
    REQUIRE(!measured);
    CHECK(measured.error().code == engine::ErrorCode::bad_input);
  }
}

TEST_CASE("measure_text, stops when asked to") {
  const auto model = test::random_model({});
  std::stop_source stop;
  stop.request_stop();
  const auto measured =
      engine::measure_text(model, test::random_ids(kVocab, 200, 9),
                           std::vector{policy(engine::PolicyKind::dms)}, reference(), stop.get_token());
  REQUIRE(!measured);
  CHECK(measured.error().code == engine::ErrorCode::interrupted);
}
