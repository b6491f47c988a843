#include "engine/session/dense_shadow.hpp"

#include <cassert>

#include "engine/policy/policy.hpp"
#include "engine/quality/distribution.hpp"

namespace engine {

namespace {

std::int32_t rows_of(const StepInput& input) {
  switch (input.logits) {
    case LogitRows::none:
      return 0;
    case LogitRows::last:
      return 1;
    case LogitRows::all:
      break;
  }
  return static_cast<std::int32_t>(input.tokens.size());
}

}  // namespace

DenseShadow::DenseShadow(std::unique_ptr<Backend> backend, std::int32_t vocab)
    : backend_(std::move(backend)), vocab_(static_cast<std::size_t>(vocab)) {}

Result<std::unique_ptr<DenseShadow>> DenseShadow::create(std::shared_ptr<const Model> model,
                                                         BackendOptions options) {
  options.spans = false;
  options.live_at = false;
  PolicyOptions policy_options;
  policy_options.kind = PolicyKind::dense;
  const auto facts = resolve_policy(policy_options, *model);
  if (!facts) return facts.error();
  const std::int32_t vocab = model->config.vocab;
  auto policy = make_policy(*facts, *model);
  auto backend = make_backend(std::move(model), std::move(policy), options);
  if (!backend) return backend.error();
  return std::unique_ptr<DenseShadow>(new DenseShadow(std::move(*backend), vocab));
}

void DenseShadow::start_sequence([[maybe_unused]] SequenceId sequence) {
  [[maybe_unused]] const SequenceId own = backend_->start_sequence();
  assert(own == sequence);
}

Status DenseShadow::fork_sequence(SequenceId from, [[maybe_unused]] SequenceId to) {
  const auto own = backend_->fork_sequence(from);
  if (!own) return own.error();
  assert(*own == to);
  return {};
}

Result<std::vector<QualityMeasured>> DenseShadow::step(std::span<const StepInput> inputs,
                                                       const StepOutput& run) {
  auto dense = backend_->step(inputs);
  if (!dense) return dense.error();
  std::vector<QualityMeasured> measures;
  std::size_t row = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const SequenceOutput& sequence = run.sequences[i];
    const std::int32_t rows = rows_of(inputs[i]);
    for (std::int32_t k = 0; k < rows; ++k, ++row) {
      const std::int32_t position = sequence.first_position + sequence.count - rows + k;
      const auto dense_row = dense->logits.subspan(row * vocab_, vocab_);
      const auto run_row = run.logits.subspan(row * vocab_, vocab_);
      measures.push_back({sequence.sequence, position, "kl", kl_divergence(dense_row, run_row)});
      measures.push_back({sequence.sequence, position, "top1", same_top(dense_row, run_row) ? 1.0 : 0.0});
    }
  }
  return measures;
}

}  // namespace engine
