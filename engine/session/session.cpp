#include "engine/session/session.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "engine/session/calibration.hpp"
#include "engine/session/dense_shadow.hpp"
#include "engine/session/profiler_events.hpp"
#include "engine/session/shadow_profiler.hpp"
#include "engine/version.hpp"

namespace engine {

namespace {

std::int64_t unix_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

double seconds_between(std::int64_t start_ns, std::int64_t end_ns) {
  return static_cast<double>(end_ns - start_ns) * 1e-9;
}

// Prompt tokens per step while all of them are measured: bounds the memory of two sets of logits.
constexpr std::int32_t kRowsMeasured = 128;

// One continuation of the prompt.
struct Chain {
  SequenceId sequence = 0;
  Sampler sampler;
  std::optional<StreamDecoder> decoder;
  TokenId next = 0;  // sampled, not processed yet
  std::vector<TokenId> ids;
  std::string text;
  std::string finish_reason;  // empty while it runs
};

// What chains go on from, one entry or row per chain.
struct NextTokens {
  std::span<const float> logits;    // [chains, vocab], empty where the backend has picked
  std::span<const TokenId> picked;  // [chains]
};

class Run {
 public:
  Run(std::shared_ptr<const Model> model, std::shared_ptr<const Tokenizer> tokenizer,
      const SessionOptions& options, const RunRequest& request, EventSink& sink)
      : model_(std::move(model)),
        tokenizer_(std::move(tokenizer)),
        options_(options),
        request_(request),
        sink_(sink) {}

  Result<RunSummary> execute();

 private:
  Status check() const;
  Status start();
  Status prefill();
  Status fork();
  Status decode();
  void sample(const NextTokens& next, const std::vector<Chain*>& chains);
  Result<StepOutput> step(std::span<const StepInput> inputs, Phase phase);
  void emit_started();
  std::vector<QualityMeasured> measure(std::span<const StepInput> inputs, const StepOutput& output);
  void give_up_quality(const Error& reason);
  void emit_quality(std::vector<QualityMeasured> measures);
  void emit_step(StepOutput& output, Phase phase, std::int64_t start_ns, std::int64_t end_ns);
  bool report_upload(std::int64_t done_bytes, std::int64_t total_bytes);
  void report(Phase phase, std::int32_t done, std::int32_t total, std::string_view text);
  void finish_run(const std::string& reason);
  std::string end_reason() const;
  std::string piece(std::optional<StreamDecoder>& decoder, TokenId id) const;
  // Tokens are chosen where the logits are, if the backend can. A dense pass beside the run needs them here.
  bool backend_picks() const { return !measures_quality() && (greedy() || backend_->info().draws); }
  bool greedy() const { return options_.sampling.temperature <= 0; }
  bool measures_quality() const { return options_.quality != QualityPass::off; }
  bool ends(TokenId id) const { return !options_.ignore_eos && eos_.contains(id); }
  std::int64_t now() const { return steady_now_ns() - start_ns_; }

  std::shared_ptr<const Model> model_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  const SessionOptions& options_;
  const RunRequest& request_;
  EventSink& sink_;

  std::int64_t start_ns_ = 0;
  std::int64_t start_unix_ns_ = 0;
  PreparedPolicy policy_;
  std::unique_ptr<Backend> backend_;
  std::optional<ProfilerEvents> profiled_;
  std::optional<ShadowProfiler> shadow_profiler_;
  std::unique_ptr<DenseShadow> shadow_;  // null: quality is not measured
  std::int16_t sample_operation_ = 0;
  std::int16_t shadow_operation_ = 0;
  std::set<TokenId> eos_;
  Step next_step_ = 0;
  std::optional<StreamDecoder> prompt_decoder_;
  std::vector<float> prompt_logits_;  // of the prompt's last token, unless the backend picks
  TokenId prompt_pick_ = -1;
  std::vector<Chain> chains_;
  std::string new_text_;  // what chain 0 gained since the last report
  struct Slots {
    std::int64_t live = 0;
    std::int64_t allocated = 0;
  };
  std::map<SequenceId, Slots> slots_;  // of every sequence after its last step, all heads
  double aside_seconds_ = 0;           // spent on other things than the run: pauses, the dense pass
  RunSummary summary_;
};

Result<RunSummary> Run::execute() {
  start_ns_ = steady_now_ns();
  start_unix_ns_ = unix_now_ns();
  if (Status status = check(); !status) return status.error();
  if (Status status = start(); !status) return status.error();
  emit_started();
  Status status = prefill();
  if (status) status = fork();
  if (status) status = decode();
  if (!status) {
    finish_run(status.error().message);
    return status.error();
  }
  finish_run(end_reason());
  const auto heads = std::int64_t{model_->config.layers} * model_->config.kv_heads;
  for (Chain& chain : chains_) {
    summary_.dense_slots += heads * backend_->length(chain.sequence);
    summary_.live_slots += slots_[chain.sequence].live;
    summary_.allocated_slots += slots_[chain.sequence].allocated;
    summary_.texts.push_back(std::move(chain.text));
    summary_.ids.push_back(std::move(chain.ids));
    summary_.finish_reasons.push_back(chain.finish_reason);
  }
  if (summary_.quality_positions > 0) {
    summary_.mean_kl /= static_cast<double>(summary_.quality_positions);
    summary_.top1_agreement /= static_cast<double>(summary_.quality_positions);
  }
  return summary_;
}

Status Run::check() const {
  if (request_.prompt.empty()) return bad_input("the prompt is empty: expected at least one token");
  if (options_.chains < 1) return bad_input("--chains {}: expected 1 or more", options_.chains);
  if (options_.max_tokens < 1) return bad_input("--tokens {}: expected 1 or more", options_.max_tokens);
  const std::int64_t total = static_cast<std::int64_t>(request_.prompt.size()) + options_.max_tokens;
  if (total > model_->config.max_positions) {
    return bad_input("{} prompt tokens and {} new ones: {} has {} positions (max_position_embeddings)",
                     request_.prompt.size(), options_.max_tokens, model_->name, model_->config.max_positions);
  }
  return {};
}

Status Run::start() {
  const std::int64_t calibrate_start = steady_now_ns();
  const auto progress = [this](std::int32_t done) {
    if (!request_.on_progress) return;
    request_.on_progress({Phase::prefill, done, static_cast<std::int32_t>(request_.prompt.size()), {}, true});
  };
  BackendOptions backend_options = options_.backend;
  backend_options.on_upload = [this](std::int64_t done, std::int64_t total) {
    return report_upload(done, total);
  };
  // Calibration is not what is profiled, and the dense pass only so that it can be told apart.
  BackendOptions aside = backend_options;
  aside.profiler = nullptr;
  auto policy = prepare_policy(model_, options_.policy, request_.prompt, aside, request_.stop, progress);
  if (!policy) return policy.error();
  policy_ = *policy;
  const std::int64_t load_start = steady_now_ns();
  if (policy_.facts.target_cr > 0) summary_.calibrate_seconds = seconds_between(calibrate_start, load_start);
  auto backend = make_backend(model_, make_policy(policy_.facts, *model_), backend_options);
  if (!backend) return backend.error();
  backend_ = std::move(*backend);
  backend_->set_clock_start(start_ns_);
  if (options_.backend.profiler != nullptr && backend_->info().backend == "cuda") {
    options_.backend.profiler->start_run(start_ns_);
    profiled_.emplace(*options_.backend.profiler, sink_);
  }
  summary_.load_seconds = seconds_between(load_start, steady_now_ns());
  sample_operation_ = static_cast<std::int16_t>(backend_->info().operations.size());
  shadow_operation_ = static_cast<std::int16_t>(sample_operation_ + 1);
  if (measures_quality()) {
    if (profiled_) {
      aside.profiler = &shadow_profiler_.emplace(*options_.backend.profiler, shadow_operation_);
    }
    auto shadow = DenseShadow::create(model_, aside);
    if (!shadow) return shadow.error();
    shadow_ = std::move(*shadow);
  }
  eos_.insert(model_->config.eos_ids.begin(), model_->config.eos_ids.end());
  if (tokenizer_ != nullptr) {
    prompt_decoder_.emplace(tokenizer_);
    if (const auto eos = tokenizer_->eos()) eos_.insert(*eos);
  }
  return {};
}

void Run::emit_started() {
  const BackendInfo& info = backend_->info();
  const PolicyFacts& facts = policy_.facts;
  const DmsConfig& dms = model_->dms;
  RunStarted run;
  run.start_unix_ns = start_unix_ns_;
  run.program_version = kVersion;
  run.model_name = model_->name;
  run.architecture = name_of(model_->config.architecture);
  run.weight_dtype = kernels::name_of(model_->weight_dtype);
  run.shape = model_->shape();
  run.device = info.device;
  run.backend = info.backend;
  run.policy = name_of(facts.kind);
  run.closed_form = facts.closed_form;
  run.window = facts.window;
  run.threshold = facts.threshold;
  run.lag = facts.lag;
  run.sinks = facts.sinks;
  run.target_cr = facts.target_cr;
  run.gate_form = name_of(dms.form);
  if (dms.form != GateForm::none) {
    run.alpha_scale = dms.alpha_scale;
    run.alpha_offset = dms.alpha_offset;
    run.gates_per_layer = dms.per_layer;
    run.zero_after_rope = dms.form == GateForm::borrowed_neuron && dms.zero_after_rope;
  }
  run.chains = options_.chains;
  run.seed = options_.sampling.seed;
  run.temperature = options_.sampling.temperature;
  run.top_p = options_.sampling.top_p;
  run.top_k = options_.sampling.top_k;
  run.prompt = request_.prompt_text;
  run.page_slots = info.page_slots;
  run.slot_bytes = info.slot_bytes;
  run.operations = info.operations;
  run.operations.emplace_back("sample");
  run.kernels = info.kernels;
  run.kernels.emplace_back("sample");
  if (shadow_ != nullptr) {
    run.operations.emplace_back("dense_shadow");
    run.kernels.emplace_back("dense_shadow");
  }
  if (profiled_) profiled_->complete(run);
  sink_.on_event(std::move(run));
  for (const std::string& notice : info.notices) sink_.on_event(Notice{notice});
  if (!policy_.notice.empty()) sink_.on_event(Notice{policy_.notice});
}

// --- the prompt
// -------------------------------------------------------------------------------------------------

Status Run::prefill() {
  const std::int64_t start_ns = steady_now_ns();
  const std::span<const TokenId> prompt = request_.prompt;
  summary_.prompt_tokens = static_cast<std::int32_t>(prompt.size());
  const SequenceId sequence = backend_->start_sequence();
  sink_.on_event(SequenceStarted{sequence, -1, 0});
  if (shadow_ != nullptr) shadow_->start_sequence(sequence);
  const bool all_rows = options_.quality == QualityPass::everything;
  const std::int32_t wanted_chunk = options_.chunk > 0 ? options_.chunk : backend_->info().chunk;
  const auto chunk =
      static_cast<std::size_t>(std::clamp(wanted_chunk, 1, all_rows ? kRowsMeasured : INT32_MAX));
  for (std::size_t begin = 0; begin < prompt.size(); begin += chunk) {
    if (request_.stop.stop_requested()) return Error{ErrorCode::interrupted, "interrupted"};
    const auto tokens = prompt.subspan(begin, std::min(chunk, prompt.size() - begin));
    const bool last = begin + tokens.size() == prompt.size();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      sink_.on_event(TokenAdded{sequence, static_cast<std::int32_t>(begin + i), tokens[i],
                                piece(prompt_decoder_, tokens[i]), Phase::prefill, next_step_});
    }
    const bool picks = last && backend_picks() && greedy();  // chains draw from the same logits, each its own
    const LogitRows last_rows = last && !picks ? LogitRows::last : LogitRows::none;
    const StepInput input{sequence, tokens, all_rows ? LogitRows::all : last_rows, picks};
    auto output = step(std::span(&input, 1), Phase::prefill);
    if (!output) return output.error();
    if (picks) {
      prompt_pick_ = output->picked.front();
    } else if (last) {
      prompt_logits_.assign(output->logits.end() - model_->config.vocab, output->logits.end());
    }
    report(Phase::prefill, static_cast<std::int32_t>(begin + tokens.size()), summary_.prompt_tokens, {});
  }
  summary_.prefill_seconds = seconds_between(start_ns, steady_now_ns()) - aside_seconds_;
  return {};
}

Status Run::fork() {
  for (int i = 0; i < options_.chains; ++i) {
    SequenceId sequence = 0;
    if (i > 0) {
      auto forked = backend_->fork_sequence(0);
      if (!forked) return forked.error();
      sequence = *forked;
      slots_[sequence] = slots_[0];
      if (shadow_ != nullptr) {
        if (auto status = shadow_->fork_sequence(0, sequence); !status) give_up_quality(status.error());
      }
      sink_.on_event(SequenceStarted{sequence, 0, summary_.prompt_tokens});
    }
    chains_.push_back({sequence, Sampler(options_.sampling, i), prompt_decoder_, 0, {}, {}, {}});
  }
  return {};
}

// --- the answers
// ------------------------------------------------------------------------------------------------

Status Run::decode() {
  const std::int64_t start_ns = steady_now_ns();
  const double aside_before = aside_seconds_;
  std::vector<Chain*> active;
  for (Chain& chain : chains_) active.push_back(&chain);
  std::vector<float> logits;
  for (std::size_t i = 0; i < chains_.size(); ++i) {
    logits.insert(logits.end(), prompt_logits_.begin(), prompt_logits_.end());
  }
  const std::vector<TokenId> picked(chains_.size(), prompt_pick_);
  sample({logits, picked}, active);
  summary_.first_token_seconds = seconds_between(start_ns_, steady_now_ns());
  report(Phase::decode, 1, options_.max_tokens, new_text_);
  while (true) {
    std::erase_if(active, [](const Chain* chain) { return !chain->finish_reason.empty(); });
    if (active.empty()) break;
    std::vector<StepInput> inputs;
    const LogitRows rows = backend_picks() ? LogitRows::none : LogitRows::last;
    for (Chain* chain : active) {
      StepInput& input = inputs.emplace_back();
      input.sequence = chain->sequence;
      input.tokens = std::span(&chain->next, 1);
      input.logits = rows;
      input.pick = backend_picks();
      if (input.pick) input.choice = chain->sampler.take_choice();
    }
    auto output = step(inputs, Phase::decode);
    if (!output) return output.error();
    sample({output->logits, output->picked}, active);
    report(Phase::decode, static_cast<std::int32_t>(active.front()->ids.size()), options_.max_tokens,
           new_text_);
  }
  summary_.decode_seconds = seconds_between(start_ns, steady_now_ns()) - (aside_seconds_ - aside_before);
  return {};
}

// Draws each chain's next token, and decides whether it is the last.
void Run::sample(const NextTokens& next, const std::vector<Chain*>& chains) {
  const auto vocab = static_cast<std::size_t>(model_->config.vocab);
  new_text_.clear();
  Span span;
  span.start_ns = now();
  const bool interrupted = request_.stop.stop_requested();
  for (std::size_t i = 0; i < chains.size(); ++i) {
    Chain& chain = *chains[i];
    chain.next =
        next.logits.empty() ? next.picked[i] : chain.sampler.sample(next.logits.subspan(i * vocab, vocab));
    chain.ids.push_back(chain.next);
    const bool full = static_cast<std::int32_t>(chain.ids.size()) == options_.max_tokens;
    if (ends(chain.next)) {
      chain.finish_reason = "eos";
    } else if (full) {
      chain.finish_reason = "length";
    } else if (interrupted) {
      chain.finish_reason = "interrupted";
    }
    const bool last = !chain.finish_reason.empty();
    std::string text = piece(chain.decoder, chain.next);
    if (last && chain.decoder) text += chain.decoder->finish();
    if (!ends(chain.next)) {
      chain.text += text;
      if (chain.sequence == 0) new_text_ += text;
    }
    const auto position = summary_.prompt_tokens + static_cast<std::int32_t>(chain.ids.size()) - 1;
    sink_.on_event(TokenAdded{chain.sequence, position, chain.next, std::move(text), Phase::decode,
                              last ? -1 : next_step_});
  }
  summary_.decode_tokens += static_cast<std::int64_t>(chains.size());
  span.end_ns = now();
  span.step = next_step_ - 1;
  span.operation = sample_operation_;
  span.kernel = sample_operation_;
  if (options_.backend.spans) sink_.on_event(SpansRecorded{{span}});
}

// --- a step and its events
// --------------------------------------------------------------------------------------

Result<StepOutput> Run::step(std::span<const StepInput> inputs, Phase phase) {
  const std::int64_t start_ns = now();
  auto output = backend_->step(inputs);
  if (!output) return output;
  const std::int64_t end_ns = now();
  if (shadow_ != nullptr) emit_quality(measure(inputs, *output));
  emit_step(*output, phase, start_ns, end_ns);
  return output;
}

std::vector<QualityMeasured> Run::measure(std::span<const StepInput> inputs, const StepOutput& output) {
  Span span;
  span.start_ns = now();
  if (shadow_profiler_) shadow_profiler_->begin_step(next_step_);
  auto measures = shadow_->step(inputs, output);
  span.end_ns = now();
  span.step = next_step_;
  span.operation = span.kernel = shadow_operation_;
  const double seconds = seconds_between(span.start_ns, span.end_ns);
  summary_.quality_seconds += seconds;
  aside_seconds_ += seconds;
  if (options_.backend.spans) sink_.on_event(SpansRecorded{{span}});
  if (measures) return std::move(*measures);
  give_up_quality(measures.error());
  return {};
}

// A run is worth more than its measure: it goes on without.
void Run::give_up_quality(const Error& reason) {
  shadow_.reset();
  sink_.on_event(
      Notice{fmt::format("quality is not measured from step {} on: {}", next_step_, reason.message)});
}

void Run::emit_quality(std::vector<QualityMeasured> measures) {
  for (QualityMeasured& measure : measures) {
    if (measure.measure == "kl") {
      ++summary_.quality_positions;
      summary_.mean_kl += measure.value;
    } else {
      summary_.top1_agreement += measure.value;
    }
    sink_.on_event(std::move(measure));
  }
}

void Run::emit_step(StepOutput& output, Phase phase, std::int64_t start_ns, std::int64_t end_ns) {
  const Step step = next_step_++;
  std::int32_t tokens = 0;
  for (SequenceOutput& sequence : output.sequences) {
    tokens += sequence.count;
    if (sequence.judged > 0) {
      sink_.on_event(GatesDecided{sequence.sequence, sequence.first_judged, sequence.judged, step,
                                  std::move(sequence.logits), std::move(sequence.marked)});
    }
    if (!sequence.evicted.empty()) {
      sink_.on_event(TokensEvicted{sequence.sequence, step, std::move(sequence.evicted)});
    }
    slots_[sequence.sequence] = {
        std::accumulate(sequence.live.begin(), sequence.live.end(), std::int64_t{0}),
        std::accumulate(sequence.allocated.begin(), sequence.allocated.end(), std::int64_t{0})};
    sink_.on_event(
        OccupancyChanged{sequence.sequence, step, std::move(sequence.live), std::move(sequence.allocated)});
  }
  summary_.kv_reads += output.kv_reads;
  for (std::string& notice : output.notices) sink_.on_event(Notice{std::move(notice)});
  if (!output.spans.empty()) {
    for (Span& span : output.spans) span.step = step;
    sink_.on_event(SpansRecorded{std::move(output.spans)});
  }
  sink_.on_event(StepFinished{step, phase, start_ns, end_ns, tokens, output.kv_reads});
  if (profiled_) profiled_->after_step();
}

// --- the rest
// ---------------------------------------------------------------------------------------------------

std::string Run::piece(std::optional<StreamDecoder>& decoder, TokenId id) const {
  return decoder ? decoder->next(id) : std::string();
}

// False gives up: the user has stopped the run.
bool Run::report_upload(std::int64_t done_bytes, std::int64_t total_bytes) {
  constexpr std::int64_t kMebibyte = 1 << 20;
  if (request_.on_progress) {
    RunProgress at;
    at.done = static_cast<std::int32_t>(done_bytes / kMebibyte);
    at.total = static_cast<std::int32_t>(total_bytes / kMebibyte);
    at.loading = true;
    request_.on_progress(at);
  }
  return !request_.stop.stop_requested();
}

void Run::report(Phase phase, std::int32_t done, std::int32_t total, std::string_view text) {
  if (!request_.on_progress) return;
  const std::int64_t start_ns = steady_now_ns();
  request_.on_progress({phase, done, total, text});
  aside_seconds_ += seconds_between(start_ns, steady_now_ns());
}

std::string Run::end_reason() const {
  const auto all = [this](std::string_view reason) {
    return std::all_of(chains_.begin(), chains_.end(),
                       [&](const Chain& c) { return c.finish_reason == reason; });
  };
  const bool interrupted = std::any_of(chains_.begin(), chains_.end(), [](const Chain& chain) {
    return chain.finish_reason == "interrupted";
  });
  return interrupted ? "interrupted" : all("eos") ? "eos" : "length";
}

void Run::finish_run(const std::string& reason) {
  const std::int64_t end_ns = now();
  if (profiled_) profiled_->finish();
  sink_.on_event(RunFinished{end_ns, reason});
}

}  // namespace

Result<RunSummary> run_session(std::shared_ptr<const Model> model, std::shared_ptr<const Tokenizer> tokenizer,
                               const SessionOptions& options, const RunRequest& request, EventSink& sink) {
  return Run(std::move(model), std::move(tokenizer), options, request, sink).execute();
}

}  // namespace engine
