// The CUDA backend: sequences, admission, and what becomes of a step's results and of a GPU's errors.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "engine/backend/backend.hpp"
#include "engine/backend/byte_text.hpp"
#include "engine/backend/check_inputs.hpp"
#include "engine/backend/cuda_errors.hpp"
#include "engine/backend/cuda_output.hpp"
#include "engine/backend/cuda_runner.hpp"
#include "kernels/cuda/decode_attention.hpp"

namespace engine {

namespace {

using kernels::cuda::CudaError;

// What the runtime says; where memory was refused, with what there is of it.
std::string reason_of(const CudaError& error) {
  std::string text = error.what();
  if (!error.out_of_memory()) return text;
  try {
    const kernels::cuda::MemoryInfo memory = kernels::cuda::memory_info();
    text += fmt::format("; {} of {} are free", byte_text(memory.free_bytes), byte_text(memory.total_bytes));
  } catch (const CudaError&) {  // then nobody knows
  }
  return text;
}

Error error_of(const CudaError& error, const std::string& doing) {
  if (dynamic_cast<const kernels::cuda::HostMemoryError*>(&error) != nullptr) {
    return failed("the computer (not the GPU) is out of memory during {}: {}", doing, error.what());
  }
  return cuda_error(error.code(), reason_of(error), doing);
}

// What a session's prefill chunk and a small batch take besides weights and caches.
constexpr std::int32_t kUsualChunk = 2048;  // smaller ones leave the tensor cores waiting for weights
constexpr std::int32_t kUsualBatch = 32;
constexpr std::int64_t kFewestCacheBytes = std::int64_t{64} << 20;

// Blocks of decode attention that the device runs at a time.
int decode_blocks(const ModelConfig& config, kernels::DType dtype, const kernels::cuda::DeviceInfo& device) {
  return kernels::cuda::decode_blocks_at_once(device.multiprocessors, dtype, config.query_heads,
                                              config.kv_heads, config.head_dim);
}

std::int64_t working_bytes(const ModelConfig& config, const kernels::cuda::DeviceInfo& device) {
  // Which 16-bit type the weights will have makes no difference to an estimate.
  const int blocks = decode_blocks(config, kernels::DType::bf16, device);
  const int splits =
      kernels::cuda::decode_splits(blocks, 1, config.kv_heads, std::int64_t{config.max_positions});
  const std::int64_t rope = std::int64_t{4} * config.max_positions * config.head_dim;
  const std::int32_t chunk = std::min(kUsualChunk, config.max_positions);
  return CudaActivations::device_bytes(config, chunk, kUsualBatch, kHeadBlock, splits) + rope;
}

Status check_support(const ModelConfig& config, const PolicyFacts& facts) {
  if (!facts.closed_form) {
    return bad_input("--policy {}: decides slot by slot, which runs on the CPU only", name_of(facts.kind));
  }
  if (config.group() > kernels::cuda::kMaxGroup) {
    return bad_input("{} query heads per KV head: the GPU's kernels take {} at most", config.group(),
                     kernels::cuda::kMaxGroup);
  }
  if (config.head_dim > kernels::cuda::kMaxHeadDim) {
    return bad_input("head_dim {}: the GPU's kernels take {} at most", config.head_dim,
                     kernels::cuda::kMaxHeadDim);
  }
  return {};
}

class CudaBackend final : public Backend {
 public:
  CudaBackend(std::shared_ptr<const Model> model, std::shared_ptr<const CudaWeights> weights,
              const PolicyFacts& facts, const BackendOptions& options,
              const kernels::cuda::DeviceInfo& device);
  ~CudaBackend() override;

  // Once nothing can fail any more.
  void take_policy(std::unique_ptr<Policy>& policy) { policy_ = std::move(policy); }

  const BackendInfo& info() const override { return info_; }
  SequenceId start_sequence() override;
  Result<SequenceId> fork_sequence(SequenceId from) override;
  void end_sequence(SequenceId sequence) override;
  std::int32_t length(SequenceId sequence) const override { return sequences_.at(sequence).length; }
  Result<StepOutput> step(std::span<const StepInput> inputs) override;
  void set_clock_start(std::int64_t steady_ns) override { clock_start_ = steady_ns; }

 private:
  struct Sequence {
    int slot = -1;  // none before the first token
    std::int32_t length = 0;
  };
  // Tokens admitted to caches that no kernel has entered yet: given back unless launched.
  class Admission;

  void describe(const kernels::cuda::DeviceInfo& device);
  Result<StepOutput> run_step(std::span<const StepInput> inputs, const std::string& doing);
  Result<CudaStep> lay_out(std::span<const StepInput> inputs);
  std::int32_t longest_head(const CudaStep& step) const;
  std::vector<float> gates_of(const CudaStep& step) const;
  std::vector<TokenChoice> choices_of(std::span<const StepInput> inputs, const HeadRows& head) const;
  StepOutput collect(std::span<const StepInput> inputs, const CudaStep& step, const HeadRows& head);
  Error failure(const CudaError& error, const std::string& doing);

  std::shared_ptr<const Model> model_;
  const ModelConfig& config_;
  std::shared_ptr<const CudaWeights> weights_;
  std::unique_ptr<Policy> policy_;
  PolicyFacts facts_;
  BackendOptions options_;
  BackendInfo info_;
  kernels::cuda::Stream stream_;
  CudaTimer timer_;
  CudaCache cache_;
  CudaRope rope_;
  CudaForward forward_;
  CudaRunner runner_;
  std::map<SequenceId, Sequence> sequences_;
  SequenceId next_sequence_ = 0;
  Step steps_ = 0;
  std::int64_t clock_start_ = 0;
  bool launched_ = false;        // the step under way has begun to change caches
  std::optional<Error> broken_;  // why nothing works any more
};

class CudaBackend::Admission {
 public:
  Admission(CudaCache& cache, std::vector<int> slots) : cache_(cache), slots_(std::move(slots)) {}
  ~Admission() {
    for (const int slot : slots_) {
      const std::span<const std::int32_t> live = cache_.live(slot);
      cache_.settle(slot, std::vector<std::int32_t>(live.begin(), live.end()));
    }
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  void keep() { slots_.clear(); }

 private:
  CudaCache& cache_;
  std::vector<int> slots_;
};

CudaBackend::CudaBackend(std::shared_ptr<const Model> model, std::shared_ptr<const CudaWeights> weights,
                         const PolicyFacts& facts, const BackendOptions& options,
                         const kernels::cuda::DeviceInfo& device)
    : model_(std::move(model)),
      config_(model_->config),
      weights_(std::move(weights)),
      facts_(facts),
      options_(options),
      timer_(stream_, options.gpu, options.spans, options.profiler),
      cache_(config_, facts_, weights_->dtype, options.cache_bytes, stream_, timer_),
      rope_(config_),
      forward_(*model_, *weights_, facts_, cache_, rope_, timer_, stream_.get()),
      runner_(config_, forward_, timer_, stream_, decode_blocks(config_, weights_->dtype, device),
              options.graph) {
  if (options.profiler != nullptr) options.profiler->name_stream(stream_.get(), "forward pass");
  describe(device);
}

CudaBackend::~CudaBackend() {
  try {
    kernels::cuda::select_device(options_.gpu);
    stream_.synchronize();      // nothing may work in memory that is about to go
  } catch (const CudaError&) {  // a broken device does nothing any more
  }
}

void CudaBackend::describe(const kernels::cuda::DeviceInfo& device) {
  info_.backend = "cuda";
  info_.device = fmt::format("GPU {}: {}, compute capability {}.{}, {} multiprocessors, {}", device.index,
                             device.name, device.compute_major, device.compute_minor, device.multiprocessors,
                             byte_text(device.total_bytes));
  info_.page_slots = kernels::cuda::kPageSlots;
  info_.slot_bytes = cache_.slot_bytes();
  info_.chunk = kUsualChunk;
  info_.draws = true;
  for (const char* operation : kCudaOperations) {
    info_.operations.emplace_back(operation);
    info_.kernels.push_back(fmt::format("{}_cuda", operation));
  }
  info_.notices = weights_->notices;
}

// Only a refused allocation leaves everything as it was, and only before a step has begun to change caches.
Error CudaBackend::failure(const CudaError& error, const std::string& doing) {
  Error reason = error_of(error, doing);
  if (launched_ || !survives_cuda_error(error.code())) broken_ = reason;
  return reason;
}

// --- sequences

SequenceId CudaBackend::start_sequence() {
  sequences_.emplace(next_sequence_, Sequence{});
  return next_sequence_++;
}

Result<SequenceId> CudaBackend::fork_sequence(SequenceId from) {
  if (broken_) return *broken_;
  Sequence copy = sequences_.at(from);
  try {
    kernels::cuda::select_device(options_.gpu);
    if (copy.slot >= 0) {
      const auto slot = cache_.fork(copy.slot);
      if (!slot) return slot.error();
      copy.slot = *slot;
    }
  } catch (const CudaError& error) {
    return failure(error, fmt::format("the copy of sequence {} ({} tokens)", from, copy.length));
  }
  policy_->fork(from, next_sequence_);
  sequences_.emplace(next_sequence_, copy);
  return next_sequence_++;
}

void CudaBackend::end_sequence(SequenceId sequence) {
  policy_->end(sequence);
  const int slot = sequences_.at(sequence).slot;
  sequences_.erase(sequence);
  if (slot < 0 || broken_) return;
  try {
    kernels::cuda::select_device(options_.gpu);
    cache_.close(slot);
  } catch (const CudaError& error) {
    broken_ = failure(error, fmt::format("the end of sequence {}", sequence));
  }
}

// --- a step

Result<StepOutput> CudaBackend::step(std::span<const StepInput> inputs) {
  if (broken_) return *broken_;
  if (auto status = check_inputs(*model_, inputs, *this); !status) return status.error();
  std::size_t tokens = 0;
  for (const StepInput& input : inputs) tokens += input.tokens.size();
  const std::string doing = fmt::format("a step of {} token{}", tokens, tokens == 1 ? "" : "s");
  launched_ = false;
  try {
    kernels::cuda::select_device(options_.gpu);
    auto output = run_step(inputs, doing);
    launched_ = false;
    return output;
  } catch (const CudaError& error) {
    return failure(error, doing);
  }
}

Result<CudaStep> CudaBackend::lay_out(std::span<const StepInput> inputs) {
  std::vector<int> slots;
  std::vector<std::int32_t> lengths;
  for (const StepInput& input : inputs) {
    Sequence& sequence = sequences_.at(input.sequence);
    if (sequence.slot < 0) {
      const auto slot = cache_.open();
      if (!slot) return slot.error();
      sequence.slot = *slot;
    }
    slots.push_back(sequence.slot);
    lengths.push_back(sequence.length);
  }
  return lay_out_step(inputs, slots, lengths);
}

std::int32_t CudaBackend::longest_head(const CudaStep& step) const {
  std::int32_t longest = 1;
  for (const CudaShare& share : step.shares) {
    const auto live = cache_.live(share.slot);
    longest = std::max(longest, share.count + *std::max_element(live.begin(), live.end()));
  }
  return longest;
}

// Decisions of a policy that looks at positions alone, as gates of +1 and -1; empty for every other.
std::vector<float> CudaBackend::gates_of(const CudaStep& step) const {
  if (!facts_.by_position) return {};
  const auto rows = static_cast<std::size_t>(step.rows);
  std::vector<float> gates(static_cast<std::size_t>(config_.kv_heads) * rows);
  std::vector<float> logits;
  std::vector<std::uint8_t> marked;
  for (const CudaShare& share : step.shares) {
    const auto count = static_cast<std::size_t>(share.count);
    logits.resize(static_cast<std::size_t>(config_.kv_heads) * count);
    marked.resize(logits.size());
    JudgeInput input;
    input.kv_heads = config_.kv_heads;
    input.head_dim = config_.head_dim;
    input.first_position = share.first_position;
    input.count = share.count;
    policy_->judge(input, {logits.data(), marked.data()});
    for (std::size_t i = 0; i < marked.size(); ++i) {
      gates[i / count * rows + static_cast<std::size_t>(share.row) + i % count] =
          marked[i] != 0 ? 1.0f : -1.0f;
    }
  }
  return gates;
}

// How the token after each row of `head` is drawn; empty where none is.
std::vector<TokenChoice> CudaBackend::choices_of(std::span<const StepInput> inputs,
                                                 const HeadRows& head) const {
  const auto draws = [](const StepInput& input) { return input.pick && input.choice.temperature > 0; };
  if (std::none_of(inputs.begin(), inputs.end(), draws)) return {};
  std::vector<TokenChoice> choices(head.rows.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (draws(inputs[i])) choices[static_cast<std::size_t>(head.last[i])] = inputs[i].choice;
  }
  return choices;
}

Result<StepOutput> CudaBackend::run_step(std::span<const StepInput> inputs, const std::string& doing) {
  // First: what makes room launches as well, and belongs to the step.
  const auto decodes = [](const StepInput& input) { return input.tokens.size() == 1; };
  const bool all_decode = std::all_of(inputs.begin(), inputs.end(), decodes);
  timer_.begin_step(steps_, all_decode ? Phase::decode : Phase::prefill);
  const auto step = lay_out(inputs);
  if (!step) return step.error();
  const HeadRows head = plan_head_rows(inputs, step->first_rows);
  const std::vector<TokenChoice> choices = choices_of(inputs, head);
  runner_.prepare(*step, head, longest_head(*step), !choices.empty());
  std::vector<int> slots;
  std::vector<std::int32_t> counts;
  std::int32_t positions = 0;
  for (const CudaShare& share : step->shares) {
    slots.push_back(share.slot);
    counts.push_back(share.count);
    positions = std::max(positions, share.first_position + share.count);
  }
  rope_.reserve(positions, stream_, timer_);
  if (auto status = cache_.admit(slots, counts, doing); !status) return status.error();
  Admission admission(cache_, slots);
  ++steps_;
  launched_ = true;
  runner_.run(*step, head, gates_of(*step), choices);
  if (runner_.ran_out_of_pages()) {
    broken_ =
        failed("a kernel found no free page during {}: this is a defect of DMScope, its caches are wrong now",
               doing);
    return *broken_;
  }
  admission.keep();
  return collect(inputs, *step, head);
}

StepOutput CudaBackend::collect(std::span<const StepInput> inputs, const CudaStep& step,
                                const HeadRows& head) {
  StepOutput output;
  output.rows = head.given;
  output.logits = runner_.logits();
  output.picked.assign(inputs.size(), -1);
  output.notices = runner_.take_notices();
  std::vector<std::int64_t> reads(static_cast<std::size_t>(config_.layers));
  const DecisionReader reader(config_, runner_.decisions(), runner_.stride());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const CudaShare& share = step.shares[i];
    output.sequences.push_back(reader.read(share, inputs[i].sequence, facts_.lag, options_.live_at, reads));
    cache_.settle(share.slot, output.sequences.back().live);
    sequences_.at(inputs[i].sequence).length += share.count;
    if (inputs[i].pick) output.picked[i] = runner_.picked(head, head.last[i]);
  }
  for (std::int64_t& layer : reads) {
    output.kv_reads += layer;
    layer *= cache_.slot_bytes();
  }
  if (options_.profiler != nullptr) options_.profiler->cache_bytes(steps_ - 1, reads);
  timer_.take(clock_start_, output.spans);
  return output;
}

Result<std::unique_ptr<Backend>> make(std::shared_ptr<const Model> model, std::unique_ptr<Policy>& policy,
                                      const BackendOptions& options) {
  const PolicyFacts facts = policy->facts();
  if (auto status = check_support(model->config, facts); !status) return status.error();
  kernels::cuda::select_device(options.gpu);
  kernels::cuda::check_kernels_load();
  const kernels::cuda::DeviceInfo device = kernels::cuda::device_info(options.gpu);
  const std::int64_t working = working_bytes(model->config, device) +
                               (options.cache_bytes > 0 ? options.cache_bytes : kFewestCacheBytes);
  auto weights = cuda_weights(*model, options.gpu, working, options.on_upload);
  if (!weights) return weights.error();
  auto backend = std::make_unique<CudaBackend>(std::move(model), *weights, facts, options, device);
  backend->take_policy(policy);
  return std::unique_ptr<Backend>(std::move(backend));
}

}  // namespace

Result<std::unique_ptr<Backend>> make_cuda_backend(std::shared_ptr<const Model> model,
                                                   std::unique_ptr<Policy>& policy,
                                                   const BackendOptions& options) {
  const std::string doing = fmt::format("the start of GPU {}", options.gpu);
  try {
    return make(std::move(model), policy, options);
  } catch (const CudaError& error) {
    return error_of(error, doing);
  }
}

}  // namespace engine
