#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "tests/engine/backend/run_model.hpp"
#include "tests/engine/support/policy_cases.hpp"
#include "tests/engine/support/random_model.hpp"

namespace {

using engine::PolicyKind;
using engine::PolicyOptions;
using test::Outputs;
using test::PolicyCase;
using test::random_ids;
using test::random_model;
using test::RandomModelOptions;
using test::run_model;

constexpr std::size_t kTokens = 70;

float largest(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0f,
                         [](float a, float b) { return std::max(a, std::fabs(b)); });
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  float difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(std::isnan(a[i]) == std::isnan(b[i]));
    if (!std::isnan(a[i])) difference = std::max(difference, std::fabs(a[i] - b[i]));
  }
  return difference;
}

// Float32 sums in another order: a few ulp per operation, grown over three layers.
constexpr float kReordering = 2e-5f;

std::vector<PolicyCase> cases() {
  RandomModelOptions plain;
  plain.gates = engine::GateForm::none;
  plain.architecture = engine::Architecture::qwen2;
  return test::policy_cases({}, plain);
}

// alive(t, s) = t <= s and (s - t <= w or not marked), summed over t.
std::int32_t closed_form_live(const Outputs& out, std::int64_t head, std::int64_t tokens, std::int64_t s,
                              std::int64_t window, bool evicts) {
  std::int32_t live = 0;
  for (std::int64_t t = 0; t <= s; ++t) {
    const bool marked = evicts && out.marked[static_cast<std::size_t>(head * tokens + t)] != 0;
    live += s - t <= window || !marked;
  }
  return live;
}

}  // namespace

TEST_CASE("CpuBackend, decode equals prefill under every policy") {
  for (const PolicyCase& c : cases()) {
    CAPTURE(c.name);
    const auto model = random_model(c.model);
    const auto ids = random_ids(model->config.vocab, kTokens, 3);
    const Outputs decode = run_model(model, ids, {c.policy, true, 2, 1});
    const auto chunk = GENERATE(2, 7, 64, 70);
    CAPTURE(chunk);
    const Outputs prefill = run_model(model, ids, {c.policy, true, 2, chunk});
    CHECK(decode.live == prefill.live);
    CHECK(decode.marked == prefill.marked);
    CHECK(decode.kv_reads == prefill.kv_reads);
    CHECK(largest_difference(decode.logits, prefill.logits) < kReordering * largest(decode.logits));
    // Gates are scaled by 100.
    CHECK(largest_difference(decode.gates, prefill.gates) < 100 * kReordering);
  }
}

TEST_CASE("CpuBackend, the closed form of the decisions equals the live cache at every step") {
  for (const PolicyCase& c : cases()) {
    CAPTURE(c.name);
    const auto model = random_model(c.model);
    const auto ids = random_ids(model->config.vocab, kTokens, 4);
    const auto facts = engine::resolve_policy(c.policy, *model);
    REQUIRE(facts);
    const Outputs out = run_model(model, ids, {c.policy, true, 1, 1});
    const std::int64_t heads = std::int64_t{model->config.layers} * model->config.kv_heads;
    std::int64_t reads = 0;
    for (std::int64_t head = 0; head < heads; ++head) {
      for (std::int64_t s = 0; s < static_cast<std::int64_t>(kTokens); ++s) {
        const std::int32_t live =
            out.live[static_cast<std::size_t>(head * static_cast<std::int64_t>(kTokens) + s)];
        reads += live;
        REQUIRE(live ==
                closed_form_live(out, head, kTokens, s, facts->window, facts->kind != PolicyKind::dense));
      }
    }
    CHECK(out.kv_reads == reads);
  }
}

TEST_CASE("CpuBackend, learned gates evict some tokens and keep others") {
  const auto model = random_model({});
  const auto ids = random_ids(model->config.vocab, kTokens, 5);
  const Outputs out = run_model(model, ids, {{}, true, 1, 70});
  const auto marked = std::count(out.marked.begin(), out.marked.end(), 1);
  CHECK(marked > static_cast<std::ptrdiff_t>(out.marked.size()) / 10);
  CHECK(marked < static_cast<std::ptrdiff_t>(out.marked.size()) * 9 / 10);
}

TEST_CASE("CpuBackend, lag 1 leaves the newest token undecided, lag 0 does not") {
  RandomModelOptions options;
  options.gates = engine::GateForm::borrowed_neuron;
  const auto lag = GENERATE(0, 1);
  options.lag = lag;
  const auto model = random_model(options);
  const auto ids = random_ids(model->config.vocab, 9, 6);
  const Outputs out = run_model(model, ids, {{}, true, 1, 9});
  for (std::size_t head = 0; head < 6; ++head) {
    CHECK(std::isnan(out.gates[head * 9 + 8]) == (lag == 1));
    CHECK(!std::isnan(out.gates[head * 9]));
  }
}

TEST_CASE("CpuBackend, the same logit judges the token before with lag 1 and its own with lag 0") {
  RandomModelOptions options;
  options.gates = engine::GateForm::borrowed_neuron;
  options.layers = 1;
  options.lag = 1;
  const auto ids = random_ids(options.vocab, 12, 6);
  const Outputs shifted = run_model(random_model(options), ids, {{}, true, 1, 12});
  options.lag = 0;
  const Outputs own = run_model(random_model(options), ids, {{}, true, 1, 12});
  for (std::size_t head = 0; head < 2; ++head) {
    for (std::size_t t = 0; t + 1 < 12; ++t)
      CHECK(shifted.gates[head * 12 + t] == own.gates[head * 12 + t + 1]);
  }
}

TEST_CASE("CpuBackend, eviction changes what is computed, and dense on the same checkpoint does not evict") {
  const auto model = random_model({});
  const auto ids = random_ids(model->config.vocab, kTokens, 8);
  PolicyOptions dense;
  dense.kind = PolicyKind::dense;
  const Outputs full = run_model(model, ids, {dense, true, 1, 70});
  const Outputs sparse = run_model(model, ids, {{}, true, 1, 70});
  CHECK(full.live.back() == static_cast<std::int32_t>(kTokens));
  CHECK(sparse.live.back() < full.live.back());
  CHECK(largest_difference(full.logits, sparse.logits) > 0.01f * largest(full.logits));
}

TEST_CASE("CpuBackend, dms_disable_eviction reports raw gates and evicts nothing") {
  RandomModelOptions options;
  const Outputs evicting = run_model(random_model(options), random_ids(61, 30, 9), {{}, true, 1, 30});
  options.disable_eviction = true;
  const Outputs disabled = run_model(random_model(options), random_ids(61, 30, 9), {{}, true, 1, 30});
  CHECK(disabled.live.back() == 30);
  CHECK(std::count(disabled.marked.begin(), disabled.marked.end(), 1) == 0);
  // Layer 0 sees the same input, so its raw gates are the same.
  for (std::size_t t = 0; t + 1 < 30; ++t) CHECK(disabled.gates[t] == evicting.gates[t]);
}

TEST_CASE("CpuBackend, per-layer gates show head 0's logit on every head") {
  RandomModelOptions options;
  options.per_layer = true;
  const Outputs out = run_model(random_model(options), random_ids(61, 20, 10), {{}, true, 1, 20});
  for (std::size_t t = 0; t + 1 < 20; ++t) CHECK(out.gates[t] == out.gates[20 + t]);
}

TEST_CASE("CpuBackend, sequences decoded as one batch equal each decoded alone") {
  const auto model = random_model({});
  const auto backend = test::start_backend(model, {});
  const std::vector<std::vector<engine::TokenId>> texts{random_ids(61, 40, 1), random_ids(61, 40, 2),
                                                        random_ids(61, 40, 3)};
  std::vector<engine::SequenceId> sequences;
  for (std::size_t i = 0; i < texts.size(); ++i) sequences.push_back(backend->start_sequence());
  std::vector<Outputs> alone;
  for (const auto& text : texts) alone.push_back(run_model(model, text, {{}, true, 2, 1}));
  for (std::size_t t = 0; t < 40; ++t) {
    std::vector<engine::StepInput> inputs;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      inputs.push_back({sequences[i], std::span(texts[i]).subspan(t, 1), engine::LogitRows::last});
    }
    const auto step = backend->step(inputs);
    REQUIRE(step);
    REQUIRE(step->rows == 3);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      for (std::size_t v = 0; v < 61; ++v) {
        REQUIRE(std::fabs(step->logits[i * 61 + v] - alone[i].logits[t * 61 + v]) < 1e-4f);
      }
    }
  }
}

TEST_CASE("CpuBackend, one step may mix a prefill chunk with decoding sequences") {
  const auto model = random_model({});
  const auto a = random_ids(61, 20, 1);
  const auto b = random_ids(61, 30, 2);
  const Outputs alone_a = run_model(model, a, {{}, true, 2, 1});
  const Outputs alone_b = run_model(model, b, {{}, true, 2, 30});
  const auto backend = test::start_backend(model, {});
  const engine::SequenceId sa = backend->start_sequence();
  const engine::SequenceId sb = backend->start_sequence();
  const engine::StepInput first{sa, std::span(a).first(19), engine::LogitRows::none};
  REQUIRE(backend->step(std::span(&first, 1)));
  const engine::StepInput mixed[] = {{sa, std::span(a).last(1), engine::LogitRows::last},
                                     {sb, b, engine::LogitRows::last}};
  const auto step = backend->step(mixed);
  REQUIRE(step);
  REQUIRE(step->rows == 2);
  for (std::size_t v = 0; v < 61; ++v) {
    CHECK(std::fabs(step->logits[v] - alone_a.logits[19 * 61 + v]) < 1e-4f);
    CHECK(std::fabs(step->logits[61 + v] - alone_b.logits[29 * 61 + v]) < 1e-4f);
  }
}

TEST_CASE("CpuBackend, a forked sequence continues as the original would, and independently") {
  const auto model = random_model({});
  const auto ids = random_ids(61, 50, 11);
  const auto other = random_ids(61, 10, 12);
  const auto backend = test::start_backend(model, {});
  const engine::SequenceId original = backend->start_sequence();
  const engine::StepInput prompt{original, std::span(ids).first(40), engine::LogitRows::none};
  REQUIRE(backend->step(std::span(&prompt, 1)));
  const auto fork = backend->fork_sequence(original);
  REQUIRE(fork);
  CHECK(backend->length(*fork) == 40);
  const engine::StepInput diverge{original, other, engine::LogitRows::none};
  REQUIRE(backend->step(std::span(&diverge, 1)));
  const engine::StepInput rest{*fork, std::span(ids).last(10), engine::LogitRows::last};
  const auto step = backend->step(std::span(&rest, 1));
  REQUIRE(step);
  const Outputs whole = run_model(model, ids, {{}, true, 2, 50});
  for (std::size_t v = 0; v < 61; ++v) CHECK(std::fabs(step->logits[v] - whole.logits[49 * 61 + v]) < 1e-4f);
}

TEST_CASE(
    "CpuBackend, a context beyond the model's positions is refused with the number and changes nothing") {
  RandomModelOptions options;
  options.max_positions = 16;
  const auto backend = test::start_backend(random_model(options), {});
  const engine::SequenceId sequence = backend->start_sequence();
  const auto ids = random_ids(61, 17, 1);
  const engine::StepInput input{sequence, ids, engine::LogitRows::last};
  const auto step = backend->step(std::span(&input, 1));
  REQUIRE(!step);
  CHECK(step.error().code == engine::ErrorCode::bad_input);
  CHECK(step.error().message.find("17") != std::string::npos);
  CHECK(step.error().message.find("16") != std::string::npos);
  CHECK(backend->length(sequence) == 0);
}

TEST_CASE("CpuBackend, a token outside the vocabulary is refused") {
  const auto backend = test::start_backend(random_model({}), {});
  const engine::SequenceId sequence = backend->start_sequence();
  for (const engine::TokenId bad : {-1, 61}) {
    const engine::StepInput input{sequence, std::span(&bad, 1), engine::LogitRows::last};
    const auto step = backend->step(std::span(&input, 1));
    REQUIRE(!step);
    CHECK(step.error().code == engine::ErrorCode::bad_input);
  }
}

TEST_CASE("CpuBackend, every operation of every layer is timed") {
  const auto model = random_model({});
  const auto backend = test::start_backend(model, {});
  const engine::SequenceId sequence = backend->start_sequence();
  const auto ids = random_ids(61, 5, 1);
  const engine::StepInput input{sequence, ids, engine::LogitRows::last};
  const auto step = backend->step(std::span(&input, 1));
  REQUIRE(step);
  CHECK(step->spans.size() == 3 * 5 + 2);
  for (const engine::Span& span : step->spans) {
    CHECK(span.end_ns >= span.start_ns);
    CHECK(static_cast<std::size_t>(span.operation) < backend->info().operations.size());
  }
}

TEST_CASE("CpuBackend, a pick is the likeliest token of the last position, with logits asked for or not") {
  const auto model = random_model({});
  const auto ids = random_ids(61, 12, 4);
  const Outputs whole = run_model(model, ids, {{}, true, 2, 12});
  const auto last = std::span(whole.logits).last(61);
  const auto likeliest = std::max_element(last.begin(), last.end()) - last.begin();
  const auto backend = test::start_backend(model, {});
  const auto rows = GENERATE(engine::LogitRows::none, engine::LogitRows::last, engine::LogitRows::all);
  const engine::SequenceId picking = backend->start_sequence();
  const engine::SequenceId plain = backend->start_sequence();
  const engine::StepInput inputs[] = {{picking, ids, rows, true}, {plain, ids, engine::LogitRows::last}};
  const auto step = backend->step(inputs);
  REQUIRE(step);
  REQUIRE(step->picked.size() == 2);
  CHECK(step->picked[0] == likeliest);
  CHECK(step->picked[1] == -1);
  const std::int64_t asked = rows == engine::LogitRows::none ? 0 : rows == engine::LogitRows::last ? 1 : 12;
  CHECK(step->rows == asked + 1);
  REQUIRE(step->logits.size() == static_cast<std::size_t>(step->rows) * 61);
  for (std::size_t v = 0; v < 61; ++v) CHECK(std::fabs(step->logits.last(61)[v] - last[v]) < 1e-4f);
}
