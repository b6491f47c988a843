#include "engine/session/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace engine {

namespace {

constexpr std::int32_t kChunk = 512;

// Every logit about a token of the prompt, as (position, logit), from a run in which nothing is evicted.
struct Logits {
  std::vector<float> inside;   // tokens still in the window at the end: live whatever their logit
  std::vector<float> outside;  // tokens whose logit decides
  std::size_t undecided = 0;
};

Result<Logits> collect(std::shared_ptr<const Model> model, PolicyFacts facts, std::span<const TokenId> prompt,
                       const BackendOptions& options, std::stop_token stop,
                       const CalibrationProgress& progress) {
  facts.threshold = std::numeric_limits<double>::infinity();
  BackendOptions quiet = options;
  quiet.spans = false;
  quiet.live_at = false;
  quiet.profiler = nullptr;  // it is the run that is profiled
  auto backend = make_backend(model, make_policy(facts, *model), quiet);
  if (!backend) return backend.error();
  const SequenceId sequence = (*backend)->start_sequence();
  const auto tokens = static_cast<std::int64_t>(prompt.size());
  const std::int64_t first_in_window = tokens - 1 - facts.window;
  Logits logits;
  for (std::size_t begin = 0; begin < prompt.size(); begin += kChunk) {
    if (stop.stop_requested())
      return Error{ErrorCode::interrupted, "interrupted while calibrating the threshold"};
    const StepInput input{sequence,
                          prompt.subspan(begin, std::min<std::size_t>(kChunk, prompt.size() - begin)),
                          LogitRows::none};
    auto step = (*backend)->step(std::span(&input, 1));
    if (!step) return step.error();
    if (progress) progress(static_cast<std::int32_t>(std::min<std::size_t>(begin + kChunk, prompt.size())));
    const SequenceOutput& out = step->sequences.front();
    for (std::size_t cell = 0; cell < out.logits.size(); ++cell) {
      const std::int64_t position = out.first_judged + static_cast<std::int64_t>(cell) % out.judged;
      (position >= first_in_window ? logits.inside : logits.outside).push_back(out.logits[cell]);
    }
  }
  return logits;
}

// The smallest threshold that keeps `keep` of the values.
double threshold_keeping(std::vector<float>& values, double keep) {
  const auto count = static_cast<double>(values.size());
  const auto kept = static_cast<std::size_t>(std::clamp(std::round(keep), 0.0, count));
  if (kept == 0) return static_cast<double>(*std::min_element(values.begin(), values.end())) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(kept - 1), values.end());
  return static_cast<double>(values[kept - 1]);
}

}  // namespace

Result<Calibration> calibrate(std::shared_ptr<const Model> model, const PolicyFacts& facts,
                              std::span<const TokenId> prompt, const BackendOptions& options,
                              std::stop_token stop, const CalibrationProgress& progress) {
  auto collected = collect(model, facts, prompt, options, stop, progress);
  if (!collected) return collected.error();
  Logits& logits = *collected;
  const auto heads = static_cast<double>(model->config.layers) * model->config.kv_heads;
  const double dense = static_cast<double>(prompt.size()) * heads;
  const double keep = dense / facts.target_cr - (dense - static_cast<double>(logits.outside.size()));
  if (keep >= 0 && !logits.outside.empty()) return Calibration{threshold_keeping(logits.outside, keep), ""};

  std::vector<float>& all = logits.inside;
  all.insert(all.end(), logits.outside.begin(), logits.outside.end());
  if (all.empty()) {
    return bad_input("--target-cr {}: a prompt of {} token(s) has no decision to calibrate on",
                     facts.target_cr, prompt.size());
  }
  const double threshold = threshold_keeping(all, static_cast<double>(all.size()) / facts.target_cr);
  return Calibration{
      threshold, fmt::format("--target-cr {}: the window of {} alone keeps more of these {} tokens; the "
                             "threshold keeps one token in {} instead, a ratio that longer texts approach",
                             facts.target_cr, facts.window, prompt.size(), facts.target_cr)};
}

Result<PreparedPolicy> prepare_policy(std::shared_ptr<const Model> model, const PolicyOptions& options,
                                      std::span<const TokenId> prompt, const BackendOptions& backend,
                                      std::stop_token stop, const CalibrationProgress& progress) {
  auto facts = resolve_policy(options, *model);
  if (!facts) return facts.error();
  PreparedPolicy prepared{*facts, ""};
  if (prepared.facts.target_cr > 0) {
    auto calibration = calibrate(model, prepared.facts, prompt, backend, stop, progress);
    if (!calibration) return calibration.error();
    prepared.facts.threshold = calibration->threshold;
    prepared.notice = calibration->notice;
  }
  return prepared;
}

}  // namespace engine
