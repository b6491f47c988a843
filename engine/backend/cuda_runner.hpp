// Runs steps on the device: kernel by kernel, or, where every sequence decodes, as one launch of a graph
// recorded for that many rows. Waits for each step's results.
//
// Decisions leave the device on a stream of their own as soon as the last layer has made them, while the
// logits are still being computed and the token is chosen; the streams join before the step is waited for. So
// decisions are those of their own step, not of the one before: the live slots among them are what admits the
// next step to the caches. All of them together are 9 bytes per head, layer and row. The first decode step of
// a bucket runs kernel by kernel; the second records the graph, after a rehearsal with rows of padding that
// loads every kernel in it. Where a driver refuses to record, kernels stop to start early, and if that does
// not help, every step runs kernel by kernel: take_notices() says so.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/cuda_activations.hpp"
#include "engine/backend/cuda_forward.hpp"
#include "engine/backend/cuda_sampler.hpp"
#include "engine/backend/cuda_step.hpp"
#include "engine/backend/cuda_timer.hpp"
#include "engine/backend/head_rows.hpp"

namespace engine {

// Whose logits are computed at a time when a step wants many.
inline constexpr std::int32_t kHeadBlock = 64;

class CudaRunner {
 public:
  // `decode_blocks`: of decode attention, that the device runs at a time.
  CudaRunner(const ModelConfig& config, const CudaForward& forward, CudaTimer& timer,
             const kernels::cuda::Stream& stream, int decode_blocks, bool graphs);

  // Makes the buffers of a step whose longest head will have `max_live` slots, and its graph. `draws`: run()
  // will be given choices. Nothing of the sequences changes; throws CudaError if memory runs out.
  void prepare(const CudaStep& step, const HeadRows& head, std::int32_t max_live, bool draws);
  // After prepare() of the same step. `gates`: [kv_heads, rows] of a policy that decides by position, or
  // empty.
  // `choices`: how the token after each row of `head` is drawn, or empty: all are the likeliest.
  void run(const CudaStep& step, const HeadRows& head, std::span<const float> gates,
           std::span<const TokenChoice> choices);

  // After run(): a kernel of this or an earlier step found no free page, so that caches are wrong.
  bool ran_out_of_pages() const { return host_page_failures_[0] != 0; }

  // Fall-backs since they were asked for last.
  std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

  // Of the last step, on the host.
  const CudaDecisions<kernels::cuda::PinnedArray>& decisions() const { return current_->host_decisions; }
  std::int64_t stride() const { return stride_; }  // of the decisions' rows
  // The likeliest token after the `index`-th of `head.rows`.
  TokenId picked(const HeadRows& head, std::int64_t index) const;
  std::span<const float> logits() const { return {host_logits_.data(), logits_given_}; }

 private:
  struct DecodeGraph {
    std::unique_ptr<CudaActivations> buffers;
    kernels::cuda::Graph graph;
    bool seen = false;  // a step of this bucket has run
  };
  CudaActivations& eager_buffers(const CudaStep& step, const HeadRows& head, int splits);
  bool runs_as_graph(const CudaStep& step, std::int32_t bucket) const;
  // Whether the graph is there; otherwise graphs_ is false from now on.
  bool record(DecodeGraph& graph, std::int32_t bucket, int splits);
  void capture(DecodeGraph& graph, std::int32_t bucket);
  void launch_graph_step(const CudaActivations& buffers, std::int32_t bucket);

  void fill_inputs(const CudaStep& step, const HeadRows& head, std::span<const float> gates);
  void copy_inputs(const CudaActivations& buffers, std::int32_t rows) const;
  void copy_decisions(const CudaActivations& buffers, std::int32_t rows);
  void join_decisions();
  void copy_picked(const CudaActivations& buffers, std::int32_t rows) const;
  void run_graph(const HeadRows& head, std::span<const TokenChoice> choices);
  void run_eager(const CudaStep& step, const HeadRows& head, std::span<const TokenChoice> choices);
  void head_blocks(const HeadRows& head, std::span<const TokenChoice> choices);
  void draw(std::span<const TokenChoice> choices, std::int32_t* picked);
  void copy_logits(std::int64_t first, std::int64_t rows);

  const ModelConfig& config_;
  const CudaForward& forward_;
  CudaTimer& timer_;
  const kernels::cuda::Stream& stream_;
  kernels::cuda::Stream side_;
  kernels::cuda::Event decided_, copied_;
  int decode_blocks_;
  bool graphs_;
  std::vector<std::string> notices_;

  std::unique_ptr<CudaActivations> eager_;
  std::map<std::int32_t, DecodeGraph> decode_graphs_;  // by bucket
  CudaSampler sampler_;
  CudaActivations* current_ = nullptr;    // of the step prepared last
  DecodeGraph* current_graph_ = nullptr;  // null: kernel by kernel
  std::int32_t stride_ = 0;
  kernels::cuda::PinnedArray<std::int32_t> host_page_failures_{1};
  kernels::cuda::PinnedArray<float> host_logits_;  // [rows given out, vocab]
  std::size_t logits_given_ = 0;                   // floats
};

}  // namespace engine
