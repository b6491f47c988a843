// One generation run: a prompt, N chains over it, and the events that tell what happened.
//
// run() prefills the prompt once in chunks, forks it into chains, decodes them as one batch, samples, and
// emits every event of the run to the sink on the calling thread. It is what `dmscope record`, the window and
// `bench` use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/backend.hpp"
#include "engine/checkpoint/model.hpp"
#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "engine/policy/policy.hpp"
#include "engine/session/sampler.hpp"
#include "engine/tokenizer/tokenizer.hpp"

namespace engine {

// Which positions a dense pass over the run's own tokens measures, as QualityMeasured events: "kl", KL(dense
// || run) in nats, and "top1", 1 where both have the same likeliest token. A position's measure judges the
// prediction that follows it. Costs about a dense run more time and cache; RunSummary tells how much.
enum class QualityPass : std::uint8_t {
  off,
  answers,    // what the answers were sampled from: the prompt's last position, and every decoded one
  everything  // the prompt's other positions too
};

struct SessionOptions {
  PolicyOptions policy;
  BackendOptions backend;
  SamplingOptions sampling;
  std::int32_t chains = 1;
  std::int32_t max_tokens = 128;  // per chain
  bool ignore_eos = false;
  std::int32_t chunk = 0;  // prompt tokens per prefill step; 0: what suits the backend
  QualityPass quality = QualityPass::off;
};

struct RunSummary {
  std::int32_t prompt_tokens = 0;
  std::vector<std::string> texts;           // one per chain
  std::vector<std::vector<TokenId>> ids;    // one per chain
  std::vector<std::string> finish_reasons;  // "eos", "length", "interrupted"; one per chain
  std::int64_t decode_tokens = 0;           // tokens sampled, all chains
  double load_seconds = 0;                  // backend set-up (weights are mapped before)
  double calibrate_seconds = 0;
  double prefill_seconds = 0;      // without the dense pass and on_progress, as the next
  double decode_seconds = 0;       // from the end of prefill to the end of the last decode step
  double first_token_seconds = 0;  // from the call of run() to the first sampled token
  std::int64_t dense_slots = 0;    // at the end, all chains
  std::int64_t live_slots = 0;
  std::int64_t allocated_slots = 0;
  std::int64_t kv_reads = 0;
  double quality_seconds = 0;          // what the dense pass took
  std::int64_t quality_positions = 0;  // measured; 0: no dense pass
  double mean_kl = 0;                  // of these, in nats
  double top1_agreement = 0;           // share of these
};

// Where a long run is. Called on the session's thread after every step; the run goes on when the call
// returns, so a caller pauses a run by not returning.
struct RunProgress {
  Phase phase = Phase::prefill;
  std::int32_t done = 0;  // prompt tokens processed, or tokens sampled per chain
  std::int32_t total = 0;
  std::string_view text;     // text that chain 0 gained with this step
  bool calibrating = false;  // not the prompt's own pass yet, but the one before it that a target ratio needs
  bool loading = false;      // before all of that: weights go to a GPU; done and total in MiB
  bool measuring = false;    // after all of that, told by who runs the session: what profiling costs
};

struct RunRequest {
  std::vector<TokenId> prompt;                          // ids, at least one
  std::string prompt_text;                              // as the user gave it, for the record
  std::function<void(const RunProgress&)> on_progress;  // may be empty
  std::stop_token stop;
};

// Texts of tokens come from `tokenizer`, which may be null (a checkpoint without one): texts are then empty.
Result<RunSummary> run_session(std::shared_ptr<const Model> model, std::shared_ptr<const Tokenizer> tokenizer,
                               const SessionOptions& options, const RunRequest& request, EventSink& sink);

}  // namespace engine
