#include "engine/backend/cuda_forward.hpp"

#include <initializer_list>

#include "kernels/cuda/decode_attention.hpp"
#include "kernels/cuda/embed.hpp"
#include "kernels/cuda/gates.hpp"
#include "kernels/cuda/prefill_attention.hpp"
#include "kernels/cuda/rmsnorm.hpp"
#include "kernels/cuda/sampling.hpp"

namespace engine {

namespace {

using kernels::DType;
using kernels::cuda::activation_type;
using kernels::cuda::GateRule;
using kernels::cuda::JudgeRule;
using kernels::cuda::kExactRows;
using kernels::cuda::kSmallRows;
using kernels::cuda::MatmulArgs;
using kernels::cuda::MatmulInput;
using kernels::cuda::WeightMatrix;

using Scope = CudaTimer::Scope;

JudgeRule rule_of(const PolicyFacts& facts) {
  switch (facts.kind) {
    case PolicyKind::dms:
      return JudgeRule::threshold;
    case PolicyKind::window:
      return JudgeRule::window;
    case PolicyKind::knorm:
      return JudgeRule::key_norm;
    default:
      return JudgeRule::dense;  // the backend has refused what has no closed form
  }
}

GateRule gate_rule(const DmsConfig& dms, const PolicyFacts& facts) {
  GateRule rule;
  rule.judge = rule_of(facts);
  rule.threshold = facts.threshold;
  rule.lag = facts.lag;
  rule.sinks = facts.sinks;
  if (facts.by_position) {
    // The decisions come from the host, as gates of +1 and -1; the model's own are not looked at.
    rule.has_gates = true;
    return rule;
  }
  rule.has_gates = dms.form != GateForm::none;
  rule.borrowed_neuron = dms.form == GateForm::borrowed_neuron;
  rule.zero_after_rope = rule.borrowed_neuron && dms.zero_after_rope;
  rule.per_layer = dms.per_layer;
  rule.scale = static_cast<float>(dms.alpha_scale);
  rule.offset = static_cast<float>(dms.alpha_offset);
  return rule;
}

WeightMatrix into(WeightMatrix matrix, float* out, std::int64_t stride) {
  matrix.out = out;
  matrix.out_stride = stride;
  return matrix;
}

}  // namespace

CudaForward::CudaForward(const Model& model, const CudaWeights& weights, const PolicyFacts& facts,
                         const CudaCache& cache, const CudaRope& rope, CudaTimer& timer,
                         kernels::cuda::StreamHandle stream)
    : config_(model.config),
      dms_(model.dms),
      weights_(weights),
      cache_(cache),
      rope_(rope),
      timer_(timer),
      stream_(stream),
      gate_(gate_rule(model.dms, facts)),
      gates_by_position_(facts.by_position) {}

void CudaForward::run(const CudaActivations& buffers, const CudaRows& rows) const {
  embed(buffers, rows.rows);
  for (std::int32_t i = 0; i < config_.layers; ++i) layer(i, buffers, rows);
}

void CudaForward::embed(const CudaActivations& buffers, std::int32_t rows) const {
  const Scope scope(timer_, CudaOperation::embed, -1, std::int64_t{rows} * config_.hidden * 6);
  kernels::cuda::EmbedArgs args;
  args.tokens = buffers.inputs.tokens();
  args.rows = rows;
  args.table = weights_.embedding.data;
  args.dtype = weights_.dtype;
  args.row_stride = weights_.embedding.row_stride;
  args.cols = config_.hidden;
  args.out = buffers.x.data();
  args.out_stride = buffers.strides.hidden;
  launch_embed(args, stream_);
}

void CudaForward::layer(std::int32_t index, const CudaActivations& buffers, const CudaRows& rows) const {
  const CudaLayer& layer = weights_.layers[static_cast<std::size_t>(index)];
  if (takes_raw_gates(rows.rows) && rows.rows > kSmallRows) raw_gates(layer, index, buffers, rows.rows);
  qkv(layer, index, buffers, rows.rows);
  attention(layer, index, buffers, rows);
  attention_out(layer, index, buffers, rows.rows);
  mlp(layer, index, buffers, rows.rows);
}

// --- products

MatmulInput CudaForward::plain(const float* x, std::int64_t stride, std::int32_t rows,
                               std::int32_t cols) const {
  MatmulInput input;
  input.x = x;
  input.x_stride = stride;
  input.rows = rows;
  input.cols = cols;
  input.dtype = weights_.dtype;
  input.pdl = rows <= kSmallRows;
  return input;
}

MatmulInput CudaForward::normalised(const float* x, const float* norm, const CudaActivations& buffers,
                                    std::int32_t rows) const {
  const auto eps = static_cast<float>(config_.rms_norm_eps);
  MatmulInput input = plain(x, buffers.strides.hidden, rows, config_.hidden);
  if (rows <= kExactRows) {
    input.norm_weight = norm;
    input.eps = eps;
    return input;
  }
  kernels::cuda::RmsNormArgs args;
  args.x = x;
  args.x_stride = buffers.strides.hidden;
  args.weight = norm;
  args.eps = eps;
  args.rows = rows;
  args.cols = config_.hidden;
  args.out = buffers.normed.data();
  args.out_stride = buffers.strides.hidden;
  args.dtype = weights_.dtype;
  args.pdl = input.pdl;
  launch_rmsnorm(args, stream_);
  input.x = buffers.normed.data();
  return input;
}

std::int64_t CudaForward::bytes_of(std::initializer_list<const WeightMatrix*> matrices) const {
  std::int64_t bytes = 0;
  for (const WeightMatrix* matrix : matrices) {
    bytes += matrix->rows * matrix->row_stride * static_cast<std::int64_t>(kernels::size_of(weights_.dtype));
  }
  return bytes;
}

std::int64_t CudaForward::weight_bytes() const {
  std::int64_t bytes = bytes_of({&weights_.head});
  for (const CudaLayer& layer : weights_.layers) {
    bytes += bytes_of({&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down});
  }
  return bytes;
}

void CudaForward::qkv(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
                      std::int32_t rows) const {
  const std::int64_t values =
      config_.hidden + (std::int64_t{config_.query_heads} + 2 * config_.kv_heads) * config_.head_dim;
  const Scope scope(timer_, CudaOperation::qkv, index,
                    bytes_of({&layer.q, &layer.k, &layer.v}) + 4 * rows * values);
  MatmulArgs args;
  args.input = normalised(buffers.x.data(), layer.attention_norm, buffers, rows);
  args.matrices[0] = into(layer.q, buffers.q.data(), buffers.strides.q);
  args.matrices[1] = into(layer.k, buffers.k.data(), buffers.strides.kv);
  args.matrices[2] = into(layer.v, buffers.v.data(), buffers.strides.kv);
  args.matrix_count = 3;
  // Where rows are few a launch costs more than the gates do.
  if (takes_raw_gates(rows) && rows <= kSmallRows) args.gates = raw_gate_args(layer, buffers, rows);
  launch_matmul(args, stream_);
}

void CudaForward::attention_out(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
                                std::int32_t rows) const {
  const std::int32_t width = config_.query_heads * config_.head_dim;
  const Scope scope(timer_, CudaOperation::attention_out, index,
                    bytes_of({&layer.o}) + std::int64_t{4} * rows * (width + 2 * config_.hidden));
  MatmulArgs args;
  args.input = plain(buffers.attended.data(), buffers.strides.q, rows, width);
  args.matrices[0] = into(layer.o, buffers.x.data(), buffers.strides.hidden);
  args.accumulate = true;
  launch_matmul(args, stream_);
}

void CudaForward::mlp(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
                      std::int32_t rows) const {
  const std::int64_t values = std::int64_t{rows} * (std::int64_t{config_.hidden} + config_.intermediate);
  {
    const Scope scope(timer_, CudaOperation::mlp_up, index, bytes_of({&layer.gate, &layer.up}) + 4 * values);
    kernels::cuda::GatedMatmulArgs args;
    args.input = normalised(buffers.x.data(), layer.mlp_norm, buffers, rows);
    args.gate = layer.gate;
    args.up = layer.up;
    args.out = buffers.mlp.data();
    args.out_stride = buffers.strides.intermediate;
    launch_gated_matmul(args, stream_);
  }
  const Scope scope(timer_, CudaOperation::mlp_down, index,
                    bytes_of({&layer.down}) + 4 * (values + std::int64_t{rows} * config_.hidden));
  MatmulArgs args;
  args.input = plain(buffers.mlp.data(), buffers.strides.intermediate, rows, config_.intermediate);
  args.matrices[0] = into(layer.down, buffers.x.data(), buffers.strides.hidden);
  args.accumulate = true;
  launch_matmul(args, stream_);
}

// --- attention

// A borrowed neuron's logit is taken from the query projection where that is exact.
bool CudaForward::takes_raw_gates(std::int32_t rows) const {
  if (gates_by_position_ || !gate_.has_gates) return false;
  if (gate_.judge != JudgeRule::dense && gate_.judge != JudgeRule::threshold) return false;
  return !gate_.borrowed_neuron || rows > kExactRows;
}

void CudaForward::raw_gates(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
                            std::int32_t rows) const {
  const Scope scope(timer_, CudaOperation::gates, index,
                    std::int64_t{4} * config_.hidden * (rows + config_.kv_heads));
  launch_raw_gates(raw_gate_args(layer, buffers, rows), stream_);
}

kernels::cuda::RawGateArgs CudaForward::raw_gate_args(const CudaLayer& layer, const CudaActivations& buffers,
                                                      std::int32_t rows) const {
  kernels::cuda::RawGateArgs args;
  args.x = buffers.x.data();
  args.x_stride = buffers.strides.hidden;
  args.rows = rows;
  args.cols = config_.hidden;
  args.eps = static_cast<float>(config_.rms_norm_eps);
  args.kv_heads = config_.kv_heads;
  args.raw = buffers.gates.data();
  args.raw_stride = rows;
  if (gate_.borrowed_neuron) {
    // The last channel of the first query head of each group.
    const std::int64_t group_width = std::int64_t{config_.group()} * config_.head_dim;
    const std::int64_t channel = config_.head_dim - 1;
    const auto element = static_cast<std::int64_t>(kernels::size_of(weights_.dtype));
    args.norm_weight = layer.attention_norm;
    args.weight = static_cast<const std::byte*>(layer.q.data) + channel * layer.q.row_stride * element;
    args.dtype = weights_.dtype;
    args.head_stride = group_width * layer.q.row_stride;
    args.bias = layer.q.bias == nullptr ? nullptr : layer.q.bias + channel;
    args.bias_stride = group_width;
  } else {
    args.norm_weight = layer.alpha_norm;
    args.weight = layer.alpha;
    args.dtype = DType::f32;
    args.head_stride = config_.hidden;
    args.bias = layer.alpha_bias;
    args.bias_stride = 1;
  }
  return args;
}

kernels::cuda::HeadsInput CudaForward::heads(const CudaLayer& layer, const CudaActivations& buffers,
                                             const CudaRows& rows, std::int32_t first_row,
                                             std::int32_t count) const {
  kernels::cuda::HeadsInput heads;
  heads.q = buffers.q.data() + first_row * buffers.strides.q;
  heads.q_stride = buffers.strides.q;
  heads.k = buffers.k.data() + first_row * buffers.strides.kv;
  heads.v = buffers.v.data() + first_row * buffers.strides.kv;
  heads.kv_stride = buffers.strides.kv;
  if (gates_by_position_ || takes_raw_gates(rows.rows)) {
    heads.raw_gates = buffers.gates.data() + first_row;
    heads.raw_stride = rows.rows;
  }
  heads.q_norm = layer.q_norm;
  heads.k_norm = layer.k_norm;
  heads.eps = static_cast<float>(config_.rms_norm_eps);
  heads.cos = rope_.cos();
  heads.sin = rope_.sin();
  heads.rows = count;
  heads.query_heads = config_.query_heads;
  heads.kv_heads = config_.kv_heads;
  heads.head_dim = config_.head_dim;
  heads.gate = gate_;
  return heads;
}

kernels::cuda::DecisionsOutput CudaForward::decisions(std::int32_t index, const CudaActivations& buffers,
                                                      const CudaRows& rows, std::int32_t first_row) const {
  const std::int64_t offset = std::int64_t{index} * config_.kv_heads * rows.rows + first_row;
  kernels::cuda::DecisionsOutput out;
  out.logits = buffers.decisions.logits.data() + offset;
  out.marked = buffers.decisions.marked.data() + offset;
  out.live_at = buffers.decisions.live_at.data() + offset;
  out.stride = rows.rows;
  return out;
}

void CudaForward::attention(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
                            const CudaRows& rows) const {
  const Scope scope(timer_, CudaOperation::attention, index, kCacheBytes);
  if (rows.decode_rows > 0) {
    kernels::cuda::DecodeAttentionArgs args;
    args.heads = heads(layer, buffers, rows, 0, rows.decode_rows);
    args.cache = cache_.view();
    args.layer = index;
    args.sequence_slots = buffers.inputs.slots();
    args.positions = buffers.inputs.positions();
    args.splits = buffers.splits;
    args.workspace = buffers.decode_workspace.data();
    args.out = buffers.attended.data();
    args.out_dtype = activation_type(rows.rows, weights_.dtype);
    args.out_stride = buffers.strides.q;
    args.decisions = decisions(index, buffers, rows, 0);
    args.pdl = rows.chunks.empty() && rows.rows <= kSmallRows;
    launch_decode_attention(args, stream_);
  }
  for (const CudaShare& chunk : rows.chunks) prefill(layer, index, buffers, rows, chunk);
}

void CudaForward::prefill(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
                          const CudaRows& rows, const CudaShare& chunk) const {
  kernels::cuda::PrefillArgs args;
  args.heads = heads(layer, buffers, rows, chunk.row, chunk.count);
  args.cache = cache_.view();
  args.layer = index;
  args.sequence_slot = chunk.slot;
  args.first_position = chunk.first_position;
  args.q = buffers.q16.data();
  args.k = buffers.k16.data();
  args.v = buffers.v16.data();
  args.slots = buffers.chunk_slots.data();
  args.out_dtype = activation_type(rows.rows, weights_.dtype);
  args.out_stride = buffers.strides.q;
  args.out = reinterpret_cast<std::byte*>(buffers.attended.data()) +
             chunk.row * buffers.strides.q * static_cast<std::int64_t>(kernels::size_of(args.out_dtype));
  args.decisions = decisions(index, buffers, rows, chunk.row);
  launch_finish_heads(args, stream_);
  launch_prefill_attention(args, stream_);
  launch_prefill_commit(args, stream_);
}

// --- logits

void CudaForward::logits(const CudaActivations& buffers, std::int32_t rows, const std::int32_t* wanted,
                         std::int32_t* picked) const {
  const float* x = buffers.x.data();
  {
    const std::int64_t values = std::int64_t{rows} * (std::int64_t{config_.hidden} + config_.vocab);
    const Scope scope(timer_, CudaOperation::head, -1, bytes_of({&weights_.head}) + 4 * values);
    if (wanted != nullptr) {
      kernels::cuda::GatherArgs gather;
      gather.x = x;
      gather.x_stride = buffers.strides.hidden;
      gather.rows_wanted = wanted;
      gather.rows = rows;
      gather.cols = config_.hidden;
      gather.out = buffers.head_in.data();
      gather.out_stride = buffers.strides.hidden;
      launch_gather(gather, stream_);
      x = buffers.head_in.data();
    }
    MatmulArgs args;
    args.input = normalised(x, weights_.final_norm, buffers, rows);
    args.matrices[0] = into(weights_.head, buffers.logits.data(), config_.vocab);
    launch_matmul(args, stream_);
  }
  const Scope scope(timer_, CudaOperation::pick, -1, std::int64_t{4} * rows * config_.vocab);
  kernels::cuda::ArgmaxArgs args;
  args.logits = buffers.logits.data();
  args.stride = config_.vocab;
  args.rows = rows;
  args.vocab = config_.vocab;
  args.workspace = buffers.pick_workspace.data();
  args.tokens = picked;
  args.pdl = rows <= kSmallRows;
  launch_argmax(args, stream_);
}

}  // namespace engine
