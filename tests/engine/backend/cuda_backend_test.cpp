// The CUDA backend against the CPU's plain float32 path, in all architectures, gate forms and policies.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <memory>

#include "engine/bench/synthetic_policy.hpp"
#include "engine/session/sampler.hpp"
#include "tests/engine/backend/cuda_support.hpp"
#include "tests/engine/support/policy_cases.hpp"

namespace {

using engine::LogitRows;
using engine::PolicyKind;
using engine::StepInput;
using test::bf16_model;
using test::on_cuda;
using test::Outputs;
using test::policy_of;
using test::PolicyCase;
using test::random_ids;
using test::random_model;
using test::RandomModelOptions;
using test::run_model;

constexpr std::size_t kTokens = 18;
constexpr double kLogitTolerance = 0.02;  // relative RMS, as DESIGN allows the default path

std::vector<PolicyCase> cases() {
  const RandomModelOptions adapter = bf16_model();
  RandomModelOptions qwen2 = adapter;
  qwen2.gates = engine::GateForm::borrowed_neuron;
  qwen2.architecture = engine::Architecture::qwen2;
  RandomModelOptions plain = adapter;
  plain.gates = engine::GateForm::none;
  plain.dtype = kernels::DType::bf16;
  plain.query_heads = 8;
  plain.head_dim = 16;
  std::vector<PolicyCase> all = test::policy_cases(adapter, plain);
  all.push_back({"dms, Qwen2", qwen2, policy_of(PolicyKind::dms, 3)});
  return all;
}

test::GateTolerance tolerance_of(const PolicyCase& c) {
  return c.policy.kind == PolicyKind::knorm ? test::GateTolerance{0.03f, 0.01f} : test::GateTolerance{};
}

// A text on which no decision is near the threshold, and what the CPU makes of it.
struct Oracle {
  std::vector<engine::TokenId> ids;
  Outputs cpu;
};

Oracle oracle(const PolicyCase& c, const std::shared_ptr<const engine::Model>& model) {
  const auto facts = engine::resolve_policy(c.policy, *model);
  REQUIRE(facts);
  const bool thresholds = facts->kind == PolicyKind::dms || facts->kind == PolicyKind::knorm;
  for (std::uint32_t seed = 1; seed < 400; ++seed) {
    Oracle found{random_ids(model->config.vocab, kTokens, seed), {}};
    found.cpu = run_model(model, found.ids, {c.policy, true, 1, 8});
    if (!thresholds || test::decisions_are_clear(found.cpu, facts->threshold, tolerance_of(c))) return found;
  }
  FAIL("no text whose decisions are clear");
  return {};
}

void check_equal(const Outputs& gpu, const Outputs& cpu, const test::GateTolerance& tolerance) {
  CHECK(gpu.marked == cpu.marked);
  CHECK(gpu.live == cpu.live);
  CHECK(gpu.kv_reads == cpu.kv_reads);
  CHECK(test::rms_difference(gpu.logits, cpu.logits) < kLogitTolerance * test::rms(cpu.logits));
  REQUIRE(gpu.gates.size() == cpu.gates.size());
  for (std::size_t i = 0; i < cpu.gates.size(); ++i) {
    CAPTURE(i, gpu.gates[i], cpu.gates[i]);
    REQUIRE(std::isnan(gpu.gates[i]) == std::isnan(cpu.gates[i]));
    if (!std::isnan(cpu.gates[i]))
      REQUIRE(std::fabs(gpu.gates[i] - cpu.gates[i]) <= tolerance.of(cpu.gates[i]));
  }
}

}  // namespace

TEST_CASE("CudaBackend, decode and prefill in any chunks equal the CPU under every policy") {
  REQUIRE_GPU();
  for (const PolicyCase& c : cases()) {
    CAPTURE(c.name);
    const auto model = random_model(c.model);
    const Oracle expected = oracle(c, model);
    for (const std::int32_t chunk : {1, 5, 18}) {
      CAPTURE(chunk);
      check_equal(run_model(model, expected.ids, on_cuda(c.policy, chunk)), expected.cpu, tolerance_of(c));
    }
  }
}

TEST_CASE("CudaBackend, a graph gives what its kernels give one by one") {
  REQUIRE_GPU();
  const auto model = random_model(bf16_model());
  const auto ids = random_ids(61, kTokens, 5);
  const Outputs graph = run_model(model, ids, on_cuda({}, 1, true));
  const Outputs eager = run_model(model, ids, on_cuda({}, 1, false));
  CHECK(graph.logits == eager.logits);
  CHECK(graph.marked == eager.marked);
  CHECK(graph.live == eager.live);
}

TEST_CASE("CudaBackend, sequences decoded as one batch equal each decoded alone, padding rows and all") {
  REQUIRE_GPU();
  const auto model = random_model(bf16_model());
  const auto graph = GENERATE(true, false);
  const auto batch =
      GENERATE(std::size_t{3}, std::size_t{6});  // in buckets of 4 and 8: exact and tensor cores
  CAPTURE(graph, batch);
  const auto backend = test::start_backend(model, on_cuda({}, 1, graph));
  std::vector<std::vector<engine::TokenId>> texts;
  std::vector<engine::SequenceId> sequences;
  std::vector<Outputs> alone;
  constexpr std::size_t kShort = 12;
  for (std::size_t i = 0; i < batch; ++i) {
    texts.push_back(random_ids(61, kShort, static_cast<std::uint32_t>(i + 1)));
    sequences.push_back(backend->start_sequence());
    alone.push_back(run_model(model, texts.back(), {{}, true, 1, 1}));
  }
  std::vector<float> together, expected;
  for (std::size_t t = 0; t < kShort; ++t) {
    std::vector<StepInput> inputs;
    for (std::size_t i = 0; i < batch; ++i) {
      inputs.push_back({sequences[i], std::span(texts[i]).subspan(t, 1), LogitRows::last, true});
    }
    const auto step = backend->step(inputs);
    REQUIRE(step);
    REQUIRE(step->rows == static_cast<std::int64_t>(batch));
    together.insert(together.end(), step->logits.begin(), step->logits.end());
    for (std::size_t i = 0; i < batch; ++i) {
      const auto row = std::span(alone[i].logits).subspan(t * 61, 61);
      expected.insert(expected.end(), row.begin(), row.end());
      const auto mine = step->logits.subspan(i * 61, 61);
      CHECK(step->picked[i] == std::max_element(mine.begin(), mine.end()) - mine.begin());
    }
  }
  CHECK(test::rms_difference(together, expected) < kLogitTolerance * test::rms(expected));
}

TEST_CASE("CudaBackend, one step may mix chunks with decoding sequences, and ask each for other rows") {
  REQUIRE_GPU();
  const auto model = random_model(bf16_model());
  const auto a = random_ids(61, 8, 1);
  const auto b = random_ids(61, 9, 2);
  const Outputs alone_a = run_model(model, a, {{}, true, 1, 8});
  const Outputs alone_b = run_model(model, b, {{}, true, 1, 9});
  const auto backend = test::start_backend(model, on_cuda());
  const engine::SequenceId sa = backend->start_sequence();
  const engine::SequenceId sb = backend->start_sequence();
  const engine::SequenceId sc = backend->start_sequence();
  const StepInput first{sa, std::span(a).first(7), LogitRows::none};
  REQUIRE(backend->step(std::span(&first, 1)));
  const StepInput mixed[] = {{sb, b, LogitRows::all},
                             {sc, std::span(b).first(4), LogitRows::none, true},
                             {sa, std::span(a).last(1), LogitRows::last, true}};
  const auto step = backend->step(mixed);
  REQUIRE(step);
  REQUIRE(step->rows == 10);
  const std::vector<float> got(step->logits.begin(), step->logits.end());
  std::vector<float> expected = alone_b.logits;
  expected.insert(expected.end(), alone_a.logits.end() - 61, alone_a.logits.end());
  CHECK(test::rms_difference(got, expected) < kLogitTolerance * test::rms(expected));
  CHECK(step->picked[0] == -1);
  const auto row = std::span(alone_b.logits).subspan(3 * 61, 61);
  CHECK(step->picked[1] == std::max_element(row.begin(), row.end()) - row.begin());
  CHECK(step->sequences[0].count == 9);
  CHECK(step->sequences[2].first_position == 7);
  CHECK(step->sequences[2].live.size() == 4);
}

TEST_CASE("CudaBackend, a forked sequence continues as the original would, and independently") {
  REQUIRE_GPU();
  const auto model = random_model(bf16_model());
  const auto ids = random_ids(61, 26, 11);
  const auto other = random_ids(61, 5, 12);
  const auto backend = test::start_backend(model, on_cuda());
  const engine::SequenceId original = backend->start_sequence();
  const StepInput prompt{original, std::span(ids).first(20), LogitRows::none};
  REQUIRE(backend->step(std::span(&prompt, 1)));
  const auto fork = backend->fork_sequence(original);
  REQUIRE(fork);
  CHECK(backend->length(*fork) == 20);
  const StepInput diverge{original, other, LogitRows::none};
  REQUIRE(backend->step(std::span(&diverge, 1)));
  backend->end_sequence(original);
  const StepInput rest{*fork, std::span(ids).last(6), LogitRows::last};
  const auto step = backend->step(std::span(&rest, 1));
  REQUIRE(step);
  const Outputs whole = run_model(model, ids, on_cuda({}, 26));
  const std::vector<float> got(step->logits.begin(), step->logits.end());
  const std::vector<float> expected(whole.logits.end() - 61, whole.logits.end());
  CHECK(test::rms_difference(got, expected) < 1e-2 * test::rms(expected));
}

TEST_CASE("CudaBackend, a policy that decides by position alone evicts what it says") {
  REQUIRE_GPU();
  RandomModelOptions options = bf16_model();
  options.gates = engine::GateForm::none;
  const auto model = random_model(options);
  const auto ids = random_ids(61, 20, 3);
  engine::BackendOptions backend_options;
  backend_options.device = engine::Device::cuda;
  backend_options.cache_bytes = test::kTestCacheBytes;
  backend_options.live_at = true;
  auto gpu = engine::make_backend(model, engine::make_synthetic_policy(0.75, 4), backend_options);
  REQUIRE(gpu);
  auto cpu_options = backend_options;
  cpu_options.device = engine::Device::cpu;
  cpu_options.reference = true;
  auto cpu = engine::make_backend(model, engine::make_synthetic_policy(0.75, 4), cpu_options);
  REQUIRE(cpu);
  const engine::SequenceId on_gpu = (*gpu)->start_sequence();
  const engine::SequenceId on_cpu = (*cpu)->start_sequence();
  for (std::size_t first = 0; first < 20;) {
    const std::size_t count = first < 15 ? 5 : 1;
    const auto tokens = std::span(ids).subspan(first, count);
    const StepInput gpu_input{on_gpu, tokens, LogitRows::none};
    const StepInput cpu_input{on_cpu, tokens, LogitRows::none};
    const auto a = (*gpu)->step(std::span(&gpu_input, 1));
    const auto b = (*cpu)->step(std::span(&cpu_input, 1));
    REQUIRE(a);
    REQUIRE(b);
    CHECK(a->sequences[0].marked == b->sequences[0].marked);
    CHECK(a->sequences[0].live_at == b->sequences[0].live_at);
    CHECK(a->kv_reads == b->kv_reads);
    first += count;
  }
}

TEST_CASE("CudaBackend, float32 weights are rounded and f16 weights are run as they are, which is told") {
  REQUIRE_GPU();
  RandomModelOptions options = bf16_model();
  options.dtype = kernels::DType::f32;
  const auto model = random_model(options);
  const auto backend = test::start_backend(model, on_cuda());
  const auto& notices = backend->info().notices;
  REQUIRE(notices.size() == 1);
  CHECK(notices.front().find("f32 weights were rounded to bf16") != std::string::npos);
  CHECK(test::start_backend(random_model(bf16_model()), on_cuda())->info().notices.empty());
}

TEST_CASE("CudaBackend, what is outside the model is refused and changes nothing") {
  REQUIRE_GPU();
  RandomModelOptions options = bf16_model();
  options.max_positions = 16;
  const auto backend = test::start_backend(random_model(options), on_cuda());
  const engine::SequenceId sequence = backend->start_sequence();
  const auto ids = random_ids(61, 17, 1);
  const StepInput too_long{sequence, ids, LogitRows::last};
  auto step = backend->step(std::span(&too_long, 1));
  REQUIRE(!step);
  CHECK(step.error().code == engine::ErrorCode::bad_input);
  const engine::TokenId bad = 61;
  const StepInput outside{sequence, std::span(&bad, 1), LogitRows::last};
  step = backend->step(std::span(&outside, 1));
  REQUIRE(!step);
  CHECK(step.error().code == engine::ErrorCode::bad_input);
  CHECK(backend->length(sequence) == 0);
  const StepInput right{sequence, std::span(ids).first(16), LogitRows::last};
  CHECK(backend->step(std::span(&right, 1)));
}

namespace {

class SlotPolicy final : public engine::Policy {
 public:
  SlotPolicy() {
    facts_.kind = PolicyKind::tova;
    facts_.closed_form = false;
  }
  const engine::PolicyFacts& facts() const override { return facts_; }
  void judge(const engine::JudgeInput&, const engine::Judgement&) const override {}

 private:
  engine::PolicyFacts facts_;
};

}  // namespace

TEST_CASE(
    "CudaBackend, a policy without closed form is refused by name, and automatic takes the CPU for it") {
  REQUIRE_GPU();
  const auto model = random_model(bf16_model());
  engine::BackendOptions options;
  options.device = engine::Device::cuda;
  const auto refused = engine::make_backend(model, std::make_unique<SlotPolicy>(), options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("tova") != std::string::npos);
  options.device = engine::Device::automatic;
  const auto taken = engine::make_backend(model, std::make_unique<SlotPolicy>(), options);
  REQUIRE(taken);
  CHECK((*taken)->info().backend == "cpu");
  REQUIRE_FALSE((*taken)->info().notices.empty());
  CHECK((*taken)->info().notices.front().find("tova") != std::string::npos);
}

TEST_CASE("CudaBackend, every operation of a step is timed kernel by kernel, and a graph as one") {
  REQUIRE_GPU();
  const auto model = random_model(bf16_model());
  const auto backend = test::start_backend(model, on_cuda());
  const engine::SequenceId sequence = backend->start_sequence();
  const auto ids = random_ids(61, 4, 1);
  const auto step_with = [&](std::size_t first) {
    const StepInput input{sequence, std::span(ids).subspan(first, 1), LogitRows::last};
    const auto step = backend->step(std::span(&input, 1));
    REQUIRE(step);
    return step->spans;
  };
  const auto eager = step_with(0);
  for (const engine::Span& span : eager) {
    CHECK(span.end_ns >= span.start_ns);
    CHECK(span.device == 0);
    REQUIRE(static_cast<std::size_t>(span.operation) < backend->info().operations.size());
  }
  const auto count = [&](const std::vector<engine::Span>& spans, std::string_view operation) {
    return std::count_if(spans.begin(), spans.end(), [&](const engine::Span& span) {
      return backend->info().operations[static_cast<std::size_t>(span.operation)] == operation;
    });
  };
  for (const char* operation : {"qkv", "attention", "attention_out", "mlp_up", "mlp_down"}) {
    CHECK(count(eager, operation) == 2);
  }
  CHECK(count(eager, "head") == 1);
  const auto graph = step_with(1);
  CHECK(count(graph, "graph") == 1);
  CHECK(count(graph, "qkv") == 0);
  CHECK(graph.size() == 2);  // and the logits that were asked for
}

TEST_CASE("CudaBackend, a cache that is full refuses the step and leaves every sequence as it was") {
  REQUIRE_GPU();
  const auto model = random_model(bf16_model());
  test::RunOptions options = on_cuda(policy_of(PolicyKind::dense));
  options.cache_bytes = 24 * (2 * 16 * 16 * 2 + 17 * 4);  // pages of 16 slots of 16 padded bf16 values
  const auto backend = test::start_backend(model, options);
  const engine::SequenceId keeps = backend->start_sequence();
  const engine::SequenceId ends = backend->start_sequence();
  const auto ids = random_ids(61, 70, 4);
  const auto feed = [&](engine::SequenceId sequence, std::size_t first, std::size_t count) {
    const StepInput input{sequence, std::span(ids).subspan(first, count), LogitRows::last};
    auto step = backend->step(std::span(&input, 1));
    return std::pair{
        step ? std::vector<float>(step->logits.begin(), step->logits.end()) : std::vector<float>(),
        step ? std::string() : step.error().message};
  };
  REQUIRE(feed(keeps, 0, 32).second.empty());  // 2 pages of each of 4 heads
  REQUIRE(feed(ends, 0, 48).second.empty());   // 3 pages of each
  const std::string reason = feed(keeps, 32, 33).second;
  CAPTURE(reason);
  CHECK(reason.find("out of memory for caches during a step of 33 tokens") != std::string::npos);
  CHECK(backend->length(keeps) == 32);
  CHECK_FALSE(backend->fork_sequence(ends));
  backend->end_sequence(ends);
  const auto after = feed(keeps, 32, 33);
  REQUIRE(after.second.empty());
  const Outputs whole =
      run_model(model, std::span(ids).first(65), {policy_of(PolicyKind::dense), true, 1, 65});
  const std::vector<float> expected(whole.logits.end() - 61, whole.logits.end());
  CHECK(test::rms_difference(after.first, expected) < kLogitTolerance * test::rms(expected));
}

TEST_CASE("CudaBackend, tokens drawn on the device are those that the host's sampler draws") {
  REQUIRE_GPU();
  const auto model = random_model(bf16_model());
  const auto ids = random_ids(61, 8, 2);
  engine::SamplingOptions options;
  options.temperature = 0.9;
  options.top_k = GENERATE(0, 7);
  options.top_p = 0.8;
  options.seed = 11;
  engine::Sampler drawing(options, 0);
  engine::Sampler host(options, 0);
  const auto backend = test::start_backend(model, on_cuda());
  REQUIRE(backend->info().draws);
  const engine::SequenceId draws = backend->start_sequence();
  const engine::SequenceId greedy = backend->start_sequence();
  for (std::size_t t = 0; t < ids.size(); ++t) {  // kernel by kernel first, then as a graph
    const auto token = std::span(ids).subspan(t, 1);
    const StepInput inputs[] = {{greedy, token, LogitRows::none, true},
                                {draws, token, LogitRows::last, true, drawing.take_choice()}};
    const auto step = backend->step(inputs);
    REQUIRE(step);
    CHECK(step->picked[1] == host.sample(step->logits));
    CHECK(step->picked[0] == engine::likeliest(step->logits));  // of the same text
  }
}
