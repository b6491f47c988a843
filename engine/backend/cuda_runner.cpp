#include "engine/backend/cuda_runner.hpp"

#include <algorithm>
#include <bit>

#include "engine/events/result.hpp"
#include "kernels/cuda/decode_attention.hpp"

namespace engine {

namespace {

using kernels::cuda::copy_async;
using Scope = CudaTimer::Scope;

// So that buffers are not made anew for every longer chunk.
std::int32_t round_up_to_power(std::int32_t count) {
  return static_cast<std::int32_t>(std::bit_ceil(static_cast<std::uint32_t>(std::max(count, 1))));
}

// Operations are not timed one by one while it lives.
class Graphing {
 public:
  Graphing(CudaTimer& timer, CudaTimer::Graphing as) : timer_(timer) { timer_.set_graphing(as); }
  ~Graphing() { timer_.set_graphing(CudaTimer::Graphing::no); }
  Graphing(const Graphing&) = delete;
  Graphing& operator=(const Graphing&) = delete;

 private:
  CudaTimer& timer_;
};

template <typename T>
std::size_t bytes_of(std::int64_t count) {
  return static_cast<std::size_t>(count) * sizeof(T);
}

}  // namespace

CudaRunner::CudaRunner(const ModelConfig& config, const CudaForward& forward, CudaTimer& timer,
                       const kernels::cuda::Stream& stream, int decode_blocks, bool graphs)
    : config_(config),
      forward_(forward),
      timer_(timer),
      stream_(stream),
      decode_blocks_(decode_blocks),
      graphs_(graphs) {}

// --- buffers and graphs

void CudaRunner::prepare(const CudaStep& step, const HeadRows& head, std::int32_t max_live, bool draws) {
  const std::int32_t bucket = decode_bucket(std::max(step.decode_rows, 1));
  const int splits =
      kernels::cuda::decode_splits(decode_blocks_, bucket, config_.kv_heads, round_up_to_power(max_live));
  const auto values = static_cast<std::size_t>(head.given) * static_cast<std::size_t>(config_.vocab);
  if (host_logits_.size() < values) host_logits_ = kernels::cuda::PinnedArray<float>(values);
  logits_given_ = values;
  if (draws) {
    const Scope scope(timer_, CudaOperation::transfer, -1, 0, true);
    sampler_.reserve(static_cast<std::size_t>(std::max(bucket, kHeadBlock)), config_.vocab, stream_);
  }
  current_graph_ = nullptr;
  if (runs_as_graph(step, bucket)) {
    DecodeGraph& graph = decode_graphs_[bucket];
    const bool fits = graph.graph && graph.buffers->splits >= splits;
    if (fits || record(graph, bucket, splits)) {
      current_graph_ = &graph;
      current_ = graph.buffers.get();
      stride_ = bucket;
      return;
    }
  }
  if (step.decodes_only()) decode_graphs_[bucket].seen = true;
  current_ = &eager_buffers(step, head, splits);
  stride_ = step.rows;
}

bool CudaRunner::runs_as_graph(const CudaStep& step, std::int32_t bucket) const {
  if (!graphs_ || !step.decodes_only()) return false;
  const auto found = decode_graphs_.find(bucket);
  return found != decode_graphs_.end() && found->second.seen;
}

CudaActivations& CudaRunner::eager_buffers(const CudaStep& step, const HeadRows& head, int splits) {
  const auto wanted = static_cast<std::int32_t>(std::min<std::size_t>(head.rows.size(), kHeadBlock));
  const bool fits = eager_ != nullptr && eager_->rows >= step.rows &&
                    eager_->decode_rows >= step.decode_rows && eager_->head_rows >= wanted &&
                    eager_->splits >= splits;
  if (fits) return *eager_;
  std::int32_t rows = round_up_to_power(step.rows);
  std::int32_t decode_rows = round_up_to_power(step.decode_rows);
  std::int32_t head_rows = round_up_to_power(wanted);
  if (eager_ != nullptr) {
    rows = std::max(rows, eager_->rows);
    decode_rows = std::max(decode_rows, eager_->decode_rows);
    head_rows = std::max(head_rows, eager_->head_rows);
    splits = std::max(splits, eager_->splits);
    eager_.reset();  // first, so that the new ones may take its memory
  }
  const Scope scope(timer_, CudaOperation::transfer, -1, 0, true);
  eager_ = std::make_unique<CudaActivations>(config_, rows, decode_rows, head_rows, splits, stream_.get());
  return *eager_;
}

// A driver may refuse to record what it would run.
bool CudaRunner::record(DecodeGraph& graph, std::int32_t bucket, int splits) {
  graph.graph = {};
  graph.buffers.reset();
  {
    const Scope scope(timer_, CudaOperation::transfer, -1, 0, true);
    graph.buffers = std::make_unique<CudaActivations>(config_, bucket, bucket, bucket, splits, stream_.get());
  }
  while (true) {
    try {
      capture(graph, bucket);
      return true;
    } catch (const kernels::cuda::CudaError& error) {
      if (error.out_of_memory() || error.sticky()) throw;
      const bool early = kernels::cuda::dependent_launches();
      notices_.push_back(fmt::format("{}: {}",
                                     early ? "kernels no longer start before those they wait for have ended"
                                           : "decode steps run kernel by kernel, without graphs",
                                     error.what()));
      if (early) {
        kernels::cuda::forbid_dependent_launches();
        continue;
      }
      graphs_ = false;
      decode_graphs_.clear();
      return false;
    }
  }
}

void CudaRunner::capture(DecodeGraph& graph, std::int32_t bucket) {
  const CudaActivations& buffers = *graph.buffers;
  std::fill_n(buffers.host_inputs.tokens(), bucket, -1);
  std::fill_n(buffers.host_inputs.positions(), bucket, 0);
  std::fill_n(buffers.host_inputs.slots(), bucket, -1);
  std::fill_n(buffers.host_gates.data(), buffers.host_gates.size(), 0.0f);
  {
    const Graphing rehearsal(timer_, CudaTimer::Graphing::rehearsal);
    launch_graph_step(buffers, bucket);
    stream_.synchronize();
  }
  const Graphing recording(timer_, CudaTimer::Graphing::recording);
  graph.graph = kernels::cuda::Graph::capture(stream_, [&] { launch_graph_step(buffers, bucket); });
}

void CudaRunner::launch_graph_step(const CudaActivations& buffers, std::int32_t bucket) {
  copy_inputs(buffers, bucket);
  forward_.run(buffers, {bucket, bucket, {}});
  copy_decisions(buffers, bucket);
  forward_.logits(buffers, bucket, nullptr, buffers.picked.data());
  copy_picked(buffers, bucket);
  join_decisions();
}

// --- a step

void CudaRunner::run(const CudaStep& step, const HeadRows& head, std::span<const float> gates,
                     std::span<const TokenChoice> choices) {
  fill_inputs(step, head, gates);
  if (current_graph_ != nullptr) {
    run_graph(head, choices);
  } else {
    run_eager(step, head, choices);
  }
  stream_.synchronize();
  sampler_.settle();
}

void CudaRunner::fill_inputs(const CudaStep& step, const HeadRows& head, std::span<const float> gates) {
  const CudaActivations& buffers = *current_;
  const auto rows = static_cast<std::size_t>(stride_);
  const auto fill = [&](const std::vector<std::int32_t>& values, std::int32_t* out, std::int32_t rest) {
    std::fill(std::copy(values.begin(), values.end(), out), out + stride_, rest);
  };
  // Padding rows: no token, no sequence.
  fill(step.tokens, buffers.host_inputs.tokens(), -1);
  fill(step.positions, buffers.host_inputs.positions(), 0);
  fill(step.slots, buffers.host_inputs.slots(), -1);
  std::copy(head.rows.begin(), head.rows.end(), buffers.host_wanted.data());
  if (gates.empty()) return;
  const auto real = static_cast<std::size_t>(step.rows);
  std::fill_n(buffers.host_gates.data(), static_cast<std::size_t>(config_.kv_heads) * rows, 0.0f);
  for (std::size_t head_index = 0; head_index < static_cast<std::size_t>(config_.kv_heads); ++head_index) {
    std::copy_n(gates.data() + head_index * real, real, buffers.host_gates.data() + head_index * rows);
  }
}

void CudaRunner::copy_inputs(const CudaActivations& buffers, std::int32_t rows) const {
  const Scope scope(timer_, CudaOperation::transfer, -1, 0);
  copy_async(buffers.inputs.block.data(), buffers.host_inputs.block.data(), buffers.inputs.block.bytes(),
             stream_.get());
  if (forward_.gates_by_position()) {
    copy_async(buffers.gates.data(), buffers.host_gates.data(),
               bytes_of<float>(std::int64_t{config_.kv_heads} * rows), stream_.get());
  }
}

void CudaRunner::copy_decisions(const CudaActivations& buffers, std::int32_t rows) {
  const Scope scope(timer_, CudaOperation::transfer, -1, 0);
  decided_.record(stream_);
  side_.wait(decided_);
  const std::int64_t cells = std::int64_t{config_.layers} * config_.kv_heads * rows;
  const auto& from = buffers.decisions;
  const auto& to = buffers.host_decisions;
  copy_async(to.logits.data(), from.logits.data(), bytes_of<float>(cells), side_.get());
  copy_async(to.live_at.data(), from.live_at.data(), bytes_of<std::int32_t>(cells), side_.get());
  copy_async(to.marked.data(), from.marked.data(), bytes_of<std::uint8_t>(cells), side_.get());
  copy_async(host_page_failures_.data(), forward_.page_failures(), sizeof(std::int32_t), side_.get());
  copied_.record(side_);
}

void CudaRunner::join_decisions() {
  stream_.wait(copied_);
}

void CudaRunner::copy_picked(const CudaActivations& buffers, std::int32_t rows) const {
  const Scope scope(timer_, CudaOperation::transfer, -1, 0);
  copy_async(buffers.host_picked.data(), buffers.picked.data(), bytes_of<std::int32_t>(rows), stream_.get());
}

void CudaRunner::copy_logits(std::int64_t first, std::int64_t rows) {
  const Scope scope(timer_, CudaOperation::transfer, -1, 0);
  copy_async(host_logits_.data() + first * config_.vocab, current_->logits.data(),
             bytes_of<float>(rows * config_.vocab), stream_.get());
}

void CudaRunner::run_graph(const HeadRows& head, std::span<const TokenChoice> choices) {
  {
    const CudaTimer::GraphScope scope(timer_, forward_.weight_bytes());
    current_graph_->graph.launch(stream_);
  }
  if (!choices.empty()) {
    std::vector<TokenChoice> by_row(static_cast<std::size_t>(stride_));
    for (std::size_t i = 0; i < choices.size(); ++i)
      by_row[static_cast<std::size_t>(head.rows[i])] = choices[i];
    draw(by_row, current_->picked.data());
    copy_picked(*current_, stride_);
  }
  if (head.given == 0) return;
  const Scope scope(timer_, CudaOperation::transfer, -1, 0);
  // A graph computes the logits of all rows, those that are not given out too.
  for (std::int64_t i = 0; i < head.given; ++i) {
    const std::int64_t row = head.rows[static_cast<std::size_t>(i)];
    copy_async(host_logits_.data() + i * config_.vocab, current_->logits.data() + row * config_.vocab,
               bytes_of<float>(config_.vocab), stream_.get());
  }
}

TokenId CudaRunner::picked(const HeadRows& head, std::int64_t index) const {
  const auto i = static_cast<std::size_t>(index);
  return current_->host_picked[current_graph_ != nullptr ? static_cast<std::size_t>(head.rows[i]) : i];
}

// Instead of the likeliest tokens of the rows of logits at hand.
void CudaRunner::draw(std::span<const TokenChoice> choices, std::int32_t* picked) {
  const Scope scope(timer_, CudaOperation::pick, -1, 0);
  sampler_.launch(choices, current_->logits.data(), config_.vocab, picked, stream_);
}

void CudaRunner::run_eager(const CudaStep& step, const HeadRows& head, std::span<const TokenChoice> choices) {
  copy_inputs(*current_, step.rows);
  forward_.run(*current_, {step.rows, step.decode_rows, step.chunks});
  copy_decisions(*current_, step.rows);
  head_blocks(head, choices);
  join_decisions();
}

void CudaRunner::head_blocks(const HeadRows& head, std::span<const TokenChoice> choices) {
  const auto rows = static_cast<std::int64_t>(head.rows.size());
  if (rows == 0) return;
  {
    const Scope scope(timer_, CudaOperation::transfer, -1, 0);
    copy_async(current_->wanted.data(), current_->host_wanted.data(), bytes_of<std::int32_t>(rows),
               stream_.get());
  }
  for (std::int64_t first = 0; first < rows; first += current_->head_rows) {
    const std::int64_t count = std::min<std::int64_t>(current_->head_rows, rows - first);
    forward_.logits(*current_, static_cast<std::int32_t>(count), current_->wanted.data() + first,
                    current_->picked.data() + first);
    if (!choices.empty()) {
      draw(choices.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
           current_->picked.data() + first);
    }
    const std::int64_t given = std::clamp<std::int64_t>(head.given - first, 0, count);
    if (given > 0) copy_logits(first, given);
  }
  copy_picked(*current_, static_cast<std::int32_t>(rows));
}

}  // namespace engine
