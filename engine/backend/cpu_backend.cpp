// The CPU backend: one forward pass over the rows (tokens) of a step, layer by layer.
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <new>
#include <thread>

#include <sched.h>
#include <time.h>

#include "engine/backend/backend.hpp"
#include "engine/backend/check_inputs.hpp"
#include "engine/backend/cpu_attention.hpp"
#include "engine/backend/cpu_gates.hpp"
#include "engine/backend/cpu_name.hpp"
#include "engine/backend/head_rows.hpp"
#include "engine/backend/likeliest.hpp"
#include "engine/backend/rope.hpp"
#include "engine/backend/share_units.hpp"
#include "kernels/cpu/ops.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace engine {

namespace {

using kernels::CpuOps;
using kernels::DType;
using kernels::GatedMatmulArgs;
using kernels::MatmulArgs;
using kernels::Matrix;
using kernels::Part;

// What a layer's time is spent on, in the order it happens. Names in kOperations.
enum Operation : std::int16_t { kEmbed, kQkv, kAttention, kAttentionOut, kMlpUp, kMlpDown, kHead };
constexpr const char* kOperations[] = {"embed",  "qkv",      "attention", "attention_out",
                                       "mlp_up", "mlp_down", "head"};

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void to_float(const Matrix& matrix, std::int64_t row, float* out) {
  const std::size_t bytes = static_cast<std::size_t>(matrix.cols) * kernels::size_of(matrix.dtype);
  const std::byte* data = static_cast<const std::byte*>(matrix.data) + static_cast<std::size_t>(row) * bytes;
  if (matrix.dtype == DType::f32) {
    std::memcpy(out, data, bytes);
    return;
  }
  for (std::int64_t i = 0; i < matrix.cols; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, data + 2 * i, 2);
    out[i] = matrix.dtype == DType::bf16 ? kernels::bf16_to_float(bits) : kernels::half_to_float(bits);
  }
}

const float* data_or_null(const std::vector<float>& values) {
  return values.empty() ? nullptr : values.data();
}

class CpuBackend final : public Backend {
 public:
  CpuBackend(std::shared_ptr<const Model> model, std::unique_ptr<Policy> policy,
             const BackendOptions& options, std::vector<std::string> notices);

  const BackendInfo& info() const override { return info_; }
  SequenceId start_sequence() override;
  Result<SequenceId> fork_sequence(SequenceId from) override;
  void end_sequence(SequenceId sequence) override;
  std::int32_t length(SequenceId sequence) const override { return sequences_.at(sequence).length; }
  Result<StepOutput> step(std::span<const StepInput> inputs) override;
  void set_clock_start(std::int64_t steady_ns) override { clock_start_ = steady_ns; }

 private:
  // Times one operation for as long as it lives.
  class Timed {
   public:
    Timed(CpuBackend& backend, Operation operation, std::int16_t layer = -1)
        : backend_(backend),
          start_(backend.options_.spans ? steady_now_ns() : 0),
          operation_(operation),
          layer_(layer) {}
    ~Timed();
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

   private:
    CpuBackend& backend_;
    std::int64_t start_;
    Operation operation_;
    std::int16_t layer_;
  };

  void describe();
  std::vector<StepSequence> lay_out(std::span<const StepInput> inputs, StepOutput& output);
  void resize_activations();
  void embed(std::span<const StepInput> inputs);
  void layer(std::int32_t index, std::span<const StepSequence> sequences);
  void finish_queries_and_keys(const LayerWeights& weights, std::int64_t begin, std::int64_t end);
  void compute_logits(std::span<const StepInput> inputs, std::span<const StepSequence> sequences,
                      StepOutput& output);
  std::int64_t rows_of(std::size_t values) const {
    return static_cast<std::int64_t>(values) / config_.hidden;
  }
  void rmsnorm(const float* x, const std::vector<float>& weight, std::int64_t rows, float* out);
  template <typename Work>
  void for_rows(std::int64_t rows, const Work& work);

  std::shared_ptr<const Model> model_;
  const ModelConfig& config_;
  std::unique_ptr<Policy> policy_;
  BackendOptions options_;
  const CpuOps& ops_;
  BackendInfo info_;
  kernels::ThreadPool pool_;
  SlotLayout layout_;
  PageArena arena_;
  RopeTable rope_;
  CpuAttention attention_;
  std::map<SequenceId, CpuSequence> sequences_;
  SequenceId next_sequence_ = 0;
  std::int64_t clock_start_ = 0;
  std::vector<Span> spans_;

  // Activations of the step, [rows, ...], reused.
  std::int64_t rows_ = 0;
  std::vector<std::int32_t> positions_;  // [rows]
  std::vector<float> x_, normed_, q_, k_, v_, gates_, attended_, mlp_, head_in_, logits_;
  std::vector<std::vector<float>> scratch_;  // one per thread
};

CpuBackend::Timed::~Timed() {
  if (!backend_.options_.spans) return;
  Span span;
  span.start_ns = start_ - backend_.clock_start_;
  span.end_ns = steady_now_ns() - backend_.clock_start_;
  span.layer = layer_;
  span.operation = operation_;
  span.kernel = operation_;
  backend_.spans_.push_back(span);
}

CpuBackend::CpuBackend(std::shared_ptr<const Model> model, std::unique_ptr<Policy> policy,
                       const BackendOptions& options, std::vector<std::string> notices)
    : model_(std::move(model)),
      config_(model_->config),
      policy_(std::move(policy)),
      options_(options),
      ops_(options.reference ? kernels::reference_ops() : kernels::best_ops()),
      pool_(options.threads > 0 ? options.threads : usable_cores()),
      layout_{config_.head_dim, options.reference ? DType::f32 : DType::bf16},
      arena_(layout_.page_bytes()),
      rope_(config_),
      attention_(config_, *policy_, ops_, pool_, layout_),
      scratch_(static_cast<std::size_t>(pool_.size())) {
  for (const auto& file : model_->files) file->prefer_huge_pages();
  info_.notices = std::move(notices);
  describe();
}

void CpuBackend::describe() {
  info_.backend = "cpu";
  info_.threads = pool_.size();
  info_.device =
      fmt::format("{}, {}, {} thread{}", cpu_name(), ops_.name, pool_.size(), pool_.size() == 1 ? "" : "s");
  info_.page_slots = kernels::kPageSlots;
  info_.slot_bytes = static_cast<std::int64_t>(2 * layout_.row_bytes());
  for (const char* operation : kOperations) {
    info_.operations.emplace_back(operation);
    info_.kernels.push_back(fmt::format("{}_{}", operation, ops_.name));
  }
  std::string reason;
  if (!options_.reference) kernels::best_ops(&reason);
  if (!reason.empty()) info_.notices.push_back(fmt::format("{} kernels: {}", ops_.name, reason));
}

// --- sequences
// --------------------------------------------------------------------------------------------------

SequenceId CpuBackend::start_sequence() {
  const PolicyFacts& facts = policy_->facts();
  const bool keeps_all = facts.kind == PolicyKind::dense || !facts.closed_form;
  CpuSequence sequence;
  sequence.id = next_sequence_++;
  const std::int32_t heads = config_.layers * config_.kv_heads;
  sequence.heads.reserve(static_cast<std::size_t>(heads));
  for (std::int32_t i = 0; i < heads; ++i) {
    sequence.heads.emplace_back(layout_, arena_, keeps_all ? config_.max_positions : facts.window,
                                config_.max_positions);
  }
  const SequenceId id = sequence.id;
  sequences_.emplace(id, std::move(sequence));
  return id;
}

Result<SequenceId> CpuBackend::fork_sequence(SequenceId from) {
  const CpuSequence& source = sequences_.at(from);
  try {
    CpuSequence copy;
    copy.id = next_sequence_;
    copy.length = source.length;
    copy.heads.reserve(source.heads.size());
    for (const HeadCache& head : source.heads) copy.heads.push_back(head.clone());
    sequences_.emplace(copy.id, std::move(copy));
  } catch (const std::bad_alloc&) {
    return failed("out of memory while copying the cache of sequence {} ({} tokens)", from, source.length);
  }
  policy_->fork(from, next_sequence_);
  return next_sequence_++;
}

void CpuBackend::end_sequence(SequenceId sequence) {
  policy_->end(sequence);
  sequences_.erase(sequence);
}

// --- a step
// -----------------------------------------------------------------------------------------------------

Result<StepOutput> CpuBackend::step(std::span<const StepInput> inputs) {
  if (auto status = check_inputs(*model_, inputs, *this); !status) return status.error();
  try {
    StepOutput output;
    output.sequences.resize(inputs.size());
    spans_.clear();
    const std::vector<StepSequence> sequences = lay_out(inputs, output);
    resize_activations();
    embed(inputs);
    for (std::int32_t i = 0; i < config_.layers; ++i) layer(i, sequences);
    compute_logits(inputs, sequences, output);
    output.kv_reads = attention_.take_kv_reads();
    output.spans = std::move(spans_);
    for (const StepSequence& sequence : sequences) {
      sequence.sequence->length += sequence.count;
      for (const HeadCache& head : sequence.sequence->heads) {
        sequence.output->live.push_back(head.live());
        sequence.output->allocated.push_back(head.allocated());
      }
    }
    return output;
  } catch (const std::bad_alloc&) {
    return failed("out of memory during a step of {} tokens; the sequences of the step are lost", rows_);
  }
}

std::vector<StepSequence> CpuBackend::lay_out(std::span<const StepInput> inputs, StepOutput& output) {
  std::vector<StepSequence> sequences;
  positions_.clear();
  rows_ = 0;
  const int lag = policy_->facts().lag;
  const auto heads = static_cast<std::size_t>(config_.layers * config_.kv_heads);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    CpuSequence& state = sequences_.at(inputs[i].sequence);
    SequenceOutput& out = output.sequences[i];
    out.sequence = state.id;
    out.first_position = state.length;
    out.count = static_cast<std::int32_t>(inputs[i].tokens.size());
    out.first_judged = std::max(0, state.length - lag);
    out.judged = state.length + out.count - lag - out.first_judged;
    out.logits.resize(heads * static_cast<std::size_t>(out.judged));
    out.marked.resize(heads * static_cast<std::size_t>(out.judged));
    if (options_.live_at) out.live_at.resize(heads * static_cast<std::size_t>(out.count));
    sequences.push_back({&state, rows_, out.count, &out});
    for (std::int32_t t = 0; t < out.count; ++t) positions_.push_back(state.length + t);
    rope_.reserve(state.length + out.count);
    rows_ += out.count;
  }
  return sequences;
}

void CpuBackend::resize_activations() {
  const auto rows = static_cast<std::size_t>(rows_);
  const auto fit = [rows](std::vector<float>& buffer, std::int64_t width) {
    buffer.resize(rows * static_cast<std::size_t>(width));
  };
  fit(x_, config_.hidden);
  fit(normed_, config_.hidden);
  fit(q_, std::int64_t{config_.query_heads} * config_.head_dim);
  fit(k_, std::int64_t{config_.kv_heads} * config_.head_dim);
  fit(v_, std::int64_t{config_.kv_heads} * config_.head_dim);
  fit(gates_, model_->dms.form == GateForm::none ? 0 : config_.kv_heads);
  fit(attended_, std::int64_t{config_.query_heads} * config_.head_dim);
  fit(mlp_, config_.intermediate);
}

// Rows in parallel once there are enough of them to be worth waking the other threads.
template <typename Work>
void CpuBackend::for_rows(std::int64_t rows, const Work& work) {
  constexpr std::int64_t kUnit = 16;
  if (rows < kUnit) {
    work(0, rows, scratch_[0]);
    return;
  }
  share_units(pool_, (rows + kUnit - 1) / kUnit, [&](std::int64_t unit, int thread) {
    work(unit * kUnit, std::min(rows, (unit + 1) * kUnit), scratch_[static_cast<std::size_t>(thread)]);
  });
}

void CpuBackend::embed(std::span<const StepInput> inputs) {
  const Timed timed(*this, kEmbed);
  float* x = x_.data();
  for (const StepInput& input : inputs) {
    for (const TokenId token : input.tokens) {
      to_float(model_->embedding, token, x);
      x += config_.hidden;
    }
  }
}

void CpuBackend::rmsnorm(const float* x, const std::vector<float>& weight, std::int64_t rows, float* out) {
  const std::int64_t hidden = config_.hidden;
  for_rows(rows, [&](std::int64_t begin, std::int64_t end, std::vector<float>&) {
    ops_.rmsnorm({x + begin * hidden, hidden, weight.data(), static_cast<float>(config_.rms_norm_eps),
                  end - begin, hidden, out + begin * hidden, hidden});
  });
}

void CpuBackend::layer(std::int32_t index, std::span<const StepSequence> sequences) {
  const LayerWeights& weights = model_->layers[static_cast<std::size_t>(index)];
  const auto number = static_cast<std::int16_t>(index);
  const std::int64_t hidden = config_.hidden;
  const std::int64_t q_width = weights.q.rows;
  const std::int64_t kv_width = weights.k.rows;
  {
    const Timed timed(*this, kQkv, number);
    rmsnorm(x_.data(), weights.attention_norm, rows_, normed_.data());
    const std::array<MatmulArgs, 3> qkv{MatmulArgs{normed_.data(), hidden, rows_, weights.q,
                                                   data_or_null(weights.q_bias), q_.data(), q_width, false},
                                        MatmulArgs{normed_.data(), hidden, rows_, weights.k,
                                                   data_or_null(weights.k_bias), k_.data(), kv_width, false},
                                        MatmulArgs{normed_.data(), hidden, rows_, weights.v,
                                                   data_or_null(weights.v_bias), v_.data(), kv_width, false}};
    pool_.run([&](const Part& part) { ops_.matmul(qkv, part); });
    for_rows(rows_, [&](std::int64_t begin, std::int64_t end, std::vector<float>& scratch) {
      if (policy_->facts().reads_keys) {
        MatmulArgs keys = qkv[1];
        keys.x += begin * hidden;
        keys.out += begin * kv_width;
        keys.m = end - begin;
        exact_matmul(ops_, keys);
      }
      float* gates = gates_.empty() ? nullptr : gates_.data() + begin;
      compute_gates(ops_, *model_, weights,
                    {end - begin, x_.data() + begin * hidden, normed_.data() + begin * hidden,
                     q_.data() + begin * q_width},
                    gates, rows_, scratch);
      finish_queries_and_keys(weights, begin, end);
    });
  }
  {
    const Timed timed(*this, kAttention, number);
    attention_.run(
        index, sequences,
        {q_.data(), k_.data(), v_.data(), gates_.empty() ? nullptr : gates_.data(), rows_, attended_.data()});
  }
  {
    const Timed timed(*this, kAttentionOut, number);
    const MatmulArgs out{attended_.data(), q_width, rows_, weights.o, data_or_null(weights.o_bias),
                         x_.data(),        hidden,  true};
    pool_.run([&](const Part& part) { ops_.matmul(std::span(&out, 1), part); });
  }
  {
    const Timed timed(*this, kMlpUp, number);
    rmsnorm(x_.data(), weights.mlp_norm, rows_, normed_.data());
    const GatedMatmulArgs up{normed_.data(),
                             hidden,
                             rows_,
                             weights.gate,
                             weights.up,
                             data_or_null(weights.gate_bias),
                             data_or_null(weights.up_bias),
                             mlp_.data(),
                             config_.intermediate};
    pool_.run([&](const Part& part) { ops_.gated_matmul(up, part); });
  }
  {
    const Timed timed(*this, kMlpDown, number);
    const MatmulArgs down{mlp_.data(),
                          config_.intermediate,
                          rows_,
                          weights.down,
                          data_or_null(weights.down_bias),
                          x_.data(),
                          hidden,
                          true};
    pool_.run([&](const Part& part) { ops_.matmul(std::span(&down, 1), part); });
  }
}

// Query and key norms (Qwen3), the borrowed neuron, and RoPE, for the rows [begin, end).
void CpuBackend::finish_queries_and_keys(const LayerWeights& weights, std::int64_t begin, std::int64_t end) {
  const std::int64_t dim = config_.head_dim;
  const auto eps = static_cast<float>(config_.rms_norm_eps);
  const bool borrowed = model_->dms.form == GateForm::borrowed_neuron;
  for (std::int64_t row = begin; row < end; ++row) {
    float* q = q_.data() + row * weights.q.rows;
    float* k = k_.data() + row * weights.k.rows;
    if (!weights.q_norm.empty()) {
      ops_.rmsnorm({q, dim, weights.q_norm.data(), eps, config_.query_heads, dim, q, dim});
      ops_.rmsnorm({k, dim, weights.k_norm.data(), eps, config_.kv_heads, dim, k, dim});
    }
    if (borrowed) zero_borrowed_neuron(config_, q);
    const std::int32_t position = positions_[static_cast<std::size_t>(row)];
    const float* cos = rope_.cos(position);
    const float* sin = rope_.sin(position);
    for (int head = 0; head < config_.query_heads; ++head) {
      kernels::rope_rotate(q + head * dim, config_.head_dim, cos, sin);
    }
    for (int head = 0; head < config_.kv_heads; ++head) {
      kernels::rope_rotate(k + head * dim, config_.head_dim, cos, sin);
    }
    if (borrowed && model_->dms.zero_after_rope) zero_borrowed_neuron(config_, q);
  }
}

void CpuBackend::compute_logits(std::span<const StepInput> inputs, std::span<const StepSequence> sequences,
                                StepOutput& output) {
  const Timed timed(*this, kHead);
  std::vector<std::int32_t> first_rows;
  for (const StepSequence& sequence : sequences) {
    first_rows.push_back(static_cast<std::int32_t>(sequence.row));
  }
  const HeadRows plan = plan_head_rows(inputs, first_rows);
  output.rows = plan.given;
  output.picked.assign(inputs.size(), -1);
  if (plan.rows.empty()) return;
  head_in_.clear();
  for (const std::int32_t row : plan.rows) {
    const float* x = x_.data() + std::int64_t{row} * config_.hidden;
    head_in_.insert(head_in_.end(), x, x + config_.hidden);
  }
  const auto rows = static_cast<std::int64_t>(plan.rows.size());
  const auto vocab = static_cast<std::size_t>(config_.vocab);
  rmsnorm(head_in_.data(), model_->final_norm, rows, head_in_.data());
  logits_.resize(plan.rows.size() * vocab);
  const MatmulArgs head{head_in_.data(), config_.hidden, rows,          model_->head,
                        nullptr,         logits_.data(), config_.vocab, false};
  pool_.run([&](const Part& part) { ops_.matmul(std::span(&head, 1), part); });
  const std::span<const float> logits(logits_);
  output.logits = logits.first(static_cast<std::size_t>(plan.given) * vocab);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].pick) continue;
    output.picked[i] = likeliest(logits.subspan(static_cast<std::size_t>(plan.last[i]) * vocab, vocab));
  }
}

}  // namespace

std::int64_t steady_now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Result<std::unique_ptr<Backend>> make_cpu_backend(std::shared_ptr<const Model> model,
                                                  std::unique_ptr<Policy> policy,
                                                  const BackendOptions& options,
                                                  std::vector<std::string> notices) {
  try {
    return std::unique_ptr<Backend>(
        std::make_unique<CpuBackend>(std::move(model), std::move(policy), options, std::move(notices)));
  } catch (const std::bad_alloc&) {
    return failed("out of memory while starting the CPU backend");
  }
}

}  // namespace engine
