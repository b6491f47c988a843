#include "engine/session/score.hpp"

#include <algorithm>
#include <limits>

#include "engine/session/calibration.hpp"

namespace engine {

namespace {

// Scatters what one step tells about its tokens into the arrays of the whole pass.
void keep(const SequenceOutput& step, std::int64_t heads, std::int64_t tokens, ScoreOutput& out) {
  for (std::int64_t head = 0; head < heads; ++head) {
    const auto gates = out.gates.begin() + head * tokens + step.first_judged;
    std::copy_n(step.logits.begin() + head * step.judged, step.judged, gates);
    const auto live = out.live.begin() + head * tokens + step.first_position;
    std::copy_n(step.live_at.begin() + head * step.count, step.count, live);
  }
}

}  // namespace

Result<ScoreOutput> score(std::shared_ptr<const Model> model, std::span<const TokenId> ids,
                          const ScoreOptions& options, const LogitSink& on_logits, std::stop_token stop) {
  const std::int32_t limit = model->config.max_positions;
  if (ids.size() > static_cast<std::size_t>(limit)) {
    return bad_input("{} ids: {} has {} positions (max_position_embeddings)", ids.size(), model->name, limit);
  }
  BackendOptions backend_options = options.backend;
  backend_options.live_at = true;
  backend_options.spans = false;
  auto policy = prepare_policy(model, options.policy, ids, backend_options, stop);
  if (!policy) return policy.error();
  auto backend = make_backend(model, make_policy(policy->facts, *model), backend_options);
  if (!backend) return backend.error();

  const std::int64_t heads = std::int64_t{model->config.layers} * model->config.kv_heads;
  const auto tokens = static_cast<std::int64_t>(ids.size());
  ScoreOutput out;
  out.policy = policy->facts;
  out.device = (*backend)->info().device;
  out.notices = (*backend)->info().notices;
  if (!policy->notice.empty()) out.notices.push_back(policy->notice);
  out.gates.assign(static_cast<std::size_t>(heads * tokens), std::numeric_limits<float>::quiet_NaN());
  out.live.assign(static_cast<std::size_t>(heads * tokens), 0);
  const SequenceId sequence = (*backend)->start_sequence();
  const std::int64_t chunk = options.mode == ScoreMode::decode ? 1 : options.chunk;
  for (std::int64_t first = 0; first < tokens; first += chunk) {
    if (stop.stop_requested()) return Error{ErrorCode::interrupted, "interrupted"};
    const std::int64_t count = std::min(chunk, tokens - first);
    const StepInput input{sequence,
                          ids.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                          LogitRows::all};
    auto step = (*backend)->step(std::span(&input, 1));
    if (!step) return step.error();
    keep(step->sequences.front(), heads, tokens, out);
    if (Status status = on_logits(first, count, step->logits); !status) return status.error();
  }
  return out;
}

}  // namespace engine
