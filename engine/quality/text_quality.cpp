#include "engine/quality/text_quality.hpp"

#include <algorithm>
#include <numeric>

#include "engine/quality/distribution.hpp"
#include "engine/session/calibration.hpp"

namespace engine {

namespace {

// Tokens per step: bounds the memory of the logits that are compared.
constexpr std::size_t kChunk = 128;

// One run over the text.
class Pass {
 public:
  static Result<Pass> create(const std::shared_ptr<const Model>& model, const PolicyFacts& facts,
                             const BackendOptions& options) {
    auto backend = make_backend(model, make_policy(facts, *model), options);
    if (!backend) return backend.error();
    return Pass(std::move(*backend), model->config);
  }

  // The logits, [rows, vocab], valid until the next step of this pass.
  Result<std::span<const float>> step(std::span<const TokenId> tokens) {
    const StepInput input{sequence_, tokens, LogitRows::all};
    auto output = backend_->step(std::span(&input, 1));
    if (!output) return output.error();
    const SequenceOutput& sequence = output->sequences.front();
    const auto total = [](const std::vector<std::int32_t>& slots) {
      return std::accumulate(slots.begin(), slots.end(), std::int64_t{0});
    };
    cost_.dense_slots += heads_ * static_cast<std::int64_t>(tokens.size());
    cost_.live_slots = total(sequence.live);
    cost_.allocated_slots = total(sequence.allocated);
    cost_.kv_reads += output->kv_reads;
    return output->logits;
  }

  const CacheCost& cost() const { return cost_; }

 private:
  Pass(std::unique_ptr<Backend> backend, const ModelConfig& config)
      : backend_(std::move(backend)),
        sequence_(backend_->start_sequence()),
        heads_(std::int64_t{config.layers} * config.kv_heads) {}

  std::unique_ptr<Backend> backend_;
  SequenceId sequence_;
  std::int64_t heads_;
  CacheCost cost_;
};

// Adds what `run` predicts for the tokens that follow, against what the dense pass does.
void compare(std::span<const float> dense, std::span<const double> dense_totals, std::span<const float> run,
             std::span<const TokenId> next, std::size_t vocab, TextQuality& quality) {
  for (std::size_t row = 0; row < next.size(); ++row) {
    const auto dense_row = dense.subspan(row * vocab, vocab);
    const auto run_row = run.subspan(row * vocab, vocab);
    const double run_total = log_total(run_row);
    quality.nll += run_total - static_cast<double>(run_row[static_cast<std::size_t>(next[row])]);
    quality.kl += kl_divergence(dense_row, dense_totals[row], run_row, run_total);
    quality.top1 += same_top(dense_row, run_row) ? 1 : 0;
  }
  quality.predictions += static_cast<std::int64_t>(next.size());
}

Status check(const Model& model, std::span<const TokenId> ids) {
  if (ids.size() < 2) {
    return bad_input("a text of {} token(s) predicts nothing: expected at least two", ids.size());
  }
  if (ids.size() <= static_cast<std::size_t>(model.config.max_positions)) return {};
  return bad_input("a text of {} tokens: {} has {} positions (max_position_embeddings)", ids.size(),
                   model.name, model.config.max_positions);
}

}  // namespace

Result<std::vector<TextQuality>> measure_text(std::shared_ptr<const Model> model,
                                              std::span<const TokenId> ids,
                                              std::span<const PolicyOptions> policies,
                                              const BackendOptions& backend, std::stop_token stop,
                                              const TextProgress& progress) {
  if (auto status = check(*model, ids); !status) return status.error();
  BackendOptions options = backend;
  options.spans = false;
  options.live_at = false;

  PolicyOptions nothing_evicted;
  nothing_evicted.kind = PolicyKind::dense;
  const auto dense_facts = resolve_policy(nothing_evicted, *model);
  if (!dense_facts) return dense_facts.error();
  auto dense = Pass::create(model, *dense_facts, options);
  if (!dense) return dense.error();
  std::vector<TextQuality> results;
  std::vector<Pass> passes;
  for (const PolicyOptions& policy : policies) {
    auto prepared = prepare_policy(model, policy, ids, options, stop);
    if (!prepared) return prepared.error();
    auto pass = Pass::create(model, prepared->facts, options);
    if (!pass) return pass.error();
    passes.push_back(std::move(*pass));
    results.emplace_back();
    results.back().policy = prepared->facts;
    results.back().notice = prepared->notice;
  }

  const auto vocab = static_cast<std::size_t>(model->config.vocab);
  std::vector<double> dense_totals;  // of the chunk's rows, for all passes
  for (std::size_t begin = 0; begin < ids.size(); begin += kChunk) {
    const std::size_t count = std::min(kChunk, ids.size() - begin);
    const std::size_t predicting = std::min(count, ids.size() - 1 - begin);
    const auto next = ids.subspan(begin + 1, predicting);
    const auto dense_logits = dense->step(ids.subspan(begin, count));
    if (!dense_logits) return dense_logits.error();
    dense_totals.clear();
    for (std::size_t row = 0; row < predicting; ++row)
      dense_totals.push_back(log_total(dense_logits->subspan(row * vocab, vocab)));
    for (std::size_t i = 0; i < passes.size(); ++i) {
      if (stop.stop_requested()) return Error{ErrorCode::interrupted, "interrupted"};
      const auto logits = passes[i].step(ids.subspan(begin, count));
      if (!logits) return logits.error();
      compare(*dense_logits, dense_totals, *logits, next, vocab, results[i]);
    }
    if (progress) progress(static_cast<std::int64_t>(begin + count));
  }
  for (std::size_t i = 0; i < passes.size(); ++i) results[i].cost = passes[i].cost();
  return results;
}

}  // namespace engine
