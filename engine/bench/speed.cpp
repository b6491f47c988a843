#include "engine/bench/speed.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace engine {

namespace {

constexpr std::int32_t kWarmSteps = 2;  // bring the weights' first pages and the threads back

Error stopped() {
  return {ErrorCode::interrupted, "interrupted"};
}

double seconds_since(std::int64_t start_ns) {
  return static_cast<double>(steady_now_ns() - start_ns) * 1e-9;
}

// Ends sequences when the measurement is over, however it ends.
class SequenceGuard {
 public:
  SequenceGuard(Backend& backend, std::vector<SequenceId> sequences)
      : backend_(backend), sequences_(std::move(sequences)) {}
  ~SequenceGuard() {
    for (const SequenceId sequence : sequences_) backend_.end_sequence(sequence);
  }
  SequenceGuard(const SequenceGuard&) = delete;
  SequenceGuard& operator=(const SequenceGuard&) = delete;

 private:
  Backend& backend_;
  std::vector<SequenceId> sequences_;
};

// A batch of chains that decodes greedily.
class GreedyBatch {
 public:
  GreedyBatch(Backend& backend, GpuProfiler* profiler, const std::vector<SequenceId>& sequences,
              TokenId first)
      : backend_(backend), profiler_(profiler), next_(sequences.size(), first) {
    for (std::size_t i = 0; i < sequences.size(); ++i)
      inputs_.push_back({sequences[i], {&next_[i], 1}, LogitRows::none, true});
  }

  Result<StepOutput> step() {
    auto output = backend_.step(inputs_);
    if (!output) return output;
    std::copy(output->picked.begin(), output->picked.end(), next_.begin());
    if (profiler_ != nullptr) {
      GpuRecords nobody_reads;
      profiler_->take(nobody_reads);
    }
    return output;
  }

 private:
  Backend& backend_;
  GpuProfiler* profiler_;
  std::vector<TokenId> next_;
  std::vector<StepInput> inputs_;
};

void count_slots(const StepOutput& output, DecodeSample& sample) {
  sample.live_slots = 0;
  sample.dense_slots = 0;
  for (const SequenceOutput& sequence : output.sequences) {
    sample.live_slots += std::accumulate(sequence.live.begin(), sequence.live.end(), std::int64_t{0});
    const std::int64_t length = sequence.first_position + sequence.count;
    sample.dense_slots += length * static_cast<std::int64_t>(sequence.live.size());
  }
}

}  // namespace

std::vector<TokenId> synthetic_tokens(std::int32_t count, std::int32_t vocab) {
  std::vector<TokenId> tokens(static_cast<std::size_t>(count));
  std::uint64_t state = 1;
  for (TokenId& token : tokens) {
    state = state * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX generator
    token = static_cast<TokenId>((state >> 33) % static_cast<std::uint64_t>(vocab));
  }
  return tokens;
}

std::int64_t weight_bytes_per_step(const Model& model) {
  // A shape has no data to tell them apart by.
  const bool tied =
      model.head.data != nullptr ? model.embedding.data == model.head.data : model.config.tied_embeddings;
  if (tied) return model.weight_bytes;
  const kernels::Matrix& embedding = model.embedding;
  return model.weight_bytes -
         embedding.rows * embedding.cols * static_cast<std::int64_t>(kernels::size_of(embedding.dtype));
}

SpeedBench::SpeedBench(std::shared_ptr<const Model> model, std::unique_ptr<Backend> backend,
                       GpuProfiler* profiler)
    : model_(std::move(model)), backend_(std::move(backend)), profiler_(profiler) {}

Result<std::unique_ptr<SpeedBench>> SpeedBench::create(std::shared_ptr<const Model> model,
                                                       std::unique_ptr<Policy> policy,
                                                       const BackendOptions& options) {
  auto backend = make_backend(model, std::move(policy), options);
  if (!backend) return backend.error();
  return std::unique_ptr<SpeedBench>(new SpeedBench(std::move(model), std::move(*backend), options.profiler));
}

Status SpeedBench::feed(SequenceId sequence, std::int32_t tokens, LogitRows last_rows,
                        const std::stop_token& stop) {
  const std::vector<TokenId> ids = synthetic_tokens(tokens, model_->config.vocab);
  const auto chunk = static_cast<std::size_t>(backend_->info().chunk);
  for (std::size_t first = 0; first < ids.size(); first += chunk) {
    if (stop.stop_requested()) return stopped();
    const std::size_t count = std::min(chunk, ids.size() - first);
    const bool last = first + count == ids.size();
    const StepInput input{sequence, std::span(ids).subspan(first, count), last ? last_rows : LogitRows::none};
    if (auto output = backend_->step({&input, 1}); !output) return output.error();
  }
  return {};
}

Status SpeedBench::prepare(std::int32_t depth, const std::stop_token& stop) {
  if (depth == 0 || prepared_.contains(depth)) return {};
  const SequenceId sequence = backend_->start_sequence();
  prepared_[depth] = sequence;
  return feed(sequence, depth, LogitRows::none, stop);
}

Result<std::vector<SequenceId>> SpeedBench::fork(std::int32_t depth, std::int32_t chains) {
  std::vector<SequenceId> sequences;
  for (std::int32_t chain = 0; chain < chains; ++chain) {
    if (depth == 0) {
      sequences.push_back(backend_->start_sequence());
      continue;
    }
    auto forked = backend_->fork_sequence(prepared_.at(depth));
    if (!forked) {
      const SequenceGuard ends_them(*backend_, std::move(sequences));
      return forked.error();
    }
    sequences.push_back(*forked);
  }
  return sequences;
}

Result<DecodeSample> SpeedBench::decode(std::int32_t depth, std::int32_t chains, std::int32_t max_steps,
                                        double seconds, const std::stop_token& stop) {
  const auto sequences = fork(depth, chains);
  if (!sequences) return sequences.error();
  const SequenceGuard guard(*backend_, *sequences);
  GreedyBatch batch(*backend_, profiler_, *sequences, synthetic_tokens(1, model_->config.vocab).front());
  for (std::int32_t i = 0; i < kWarmSteps; ++i) {
    if (auto output = batch.step(); !output) return output.error();
  }
  DecodeSample sample;
  const std::int64_t start_ns = steady_now_ns();
  while (sample.steps < max_steps && sample.seconds < seconds) {
    if (stop.stop_requested()) return stopped();
    const auto output = batch.step();
    if (!output) return output.error();
    sample.seconds = seconds_since(start_ns);
    ++sample.steps;
    sample.tokens += chains;
    sample.kv_reads += output->kv_reads;
    count_slots(*output, sample);
  }
  return sample;
}

Result<PrefillSample> SpeedBench::prefill(std::int32_t tokens, const std::stop_token& stop) {
  const SequenceId sequence = backend_->start_sequence();
  const SequenceGuard guard(*backend_, {sequence});
  const std::int64_t start_ns = steady_now_ns();
  if (auto status = feed(sequence, tokens, LogitRows::last, stop); !status) return status.error();
  return PrefillSample{tokens, seconds_since(start_ns)};
}

}  // namespace engine
