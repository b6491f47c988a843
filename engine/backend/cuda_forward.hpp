// The forward pass of a CUDA backend as launches: embedding, layers, logits. Launches only: what it is given
// must stay as it is until the stream has got there. Also what a graph of a decode step is recorded from.
#pragma once

#include <cstdint>
#include <span>

#include "engine/backend/cuda_activations.hpp"
#include "engine/backend/cuda_cache.hpp"
#include "engine/backend/cuda_rope.hpp"
#include "engine/backend/cuda_step.hpp"
#include "engine/backend/cuda_timer.hpp"
#include "engine/backend/cuda_weights.hpp"
#include "engine/checkpoint/model.hpp"
#include "engine/policy/policy.hpp"
#include "kernels/cuda/gates.hpp"
#include "kernels/cuda/judgement.hpp"
#include "kernels/cuda/matmul.hpp"

namespace engine {

// The rows of one pass: [0, decode_rows) of one token each, then the chunks.
struct CudaRows {
  std::int32_t rows = 0;
  std::int32_t decode_rows = 0;
  std::span<const CudaShare> chunks;
};

class CudaForward {
 public:
  CudaForward(const Model& model, const CudaWeights& weights, const PolicyFacts& facts,
              const CudaCache& cache, const CudaRope& rope, CudaTimer& timer,
              kernels::cuda::StreamHandle stream);

  // From `buffers.tokens`, `positions` and `slots` (and `gates`, where the policy decides by position) to `x`
  // and `decisions`, with stride `rows.rows`.
  void run(const CudaActivations& buffers, const CudaRows& rows) const;

  // Logits of `rows` rows of `x`, those that `wanted` names if it is not null, and of each the likeliest
  // token.
  void logits(const CudaActivations& buffers, std::int32_t rows, const std::int32_t* wanted,
              std::int32_t* picked) const;

  // The policy decides by position: `buffers.gates` is an input.
  bool gates_by_position() const { return gates_by_position_; }

  // How often a kernel has found no free page, on the device: never, because steps are admitted first.
  const std::int32_t* page_failures() const { return cache_.view().failures; }

  // Weights that a pass over few rows reads.
  std::int64_t weight_bytes() const;

 private:
  void embed(const CudaActivations& buffers, std::int32_t rows) const;
  void layer(std::int32_t index, const CudaActivations& buffers, const CudaRows& rows) const;
  void raw_gates(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
                 std::int32_t rows) const;
  kernels::cuda::RawGateArgs raw_gate_args(const CudaLayer& layer, const CudaActivations& buffers,
                                           std::int32_t rows) const;
  void qkv(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
           std::int32_t rows) const;
  void attention(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
                 const CudaRows& rows) const;
  void prefill(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
               const CudaRows& rows, const CudaShare& chunk) const;
  void attention_out(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
                     std::int32_t rows) const;
  void mlp(const CudaLayer& layer, std::int32_t index, const CudaActivations& buffers,
           std::int32_t rows) const;

  // Input of a product of normalised rows of `x`: normalised here where the product does not do it itself.
  kernels::cuda::MatmulInput normalised(const float* x, const float* norm, const CudaActivations& buffers,
                                        std::int32_t rows) const;
  kernels::cuda::MatmulInput plain(const float* x, std::int64_t stride, std::int32_t rows,
                                   std::int32_t cols) const;
  kernels::cuda::HeadsInput heads(const CudaLayer& layer, const CudaActivations& buffers,
                                  const CudaRows& rows, std::int32_t first_row, std::int32_t count) const;
  kernels::cuda::DecisionsOutput decisions(std::int32_t index, const CudaActivations& buffers,
                                           const CudaRows& rows, std::int32_t first_row) const;
  bool takes_raw_gates(std::int32_t rows) const;
  std::int64_t bytes_of(std::initializer_list<const kernels::cuda::WeightMatrix*> matrices) const;

  const ModelConfig& config_;
  const DmsConfig& dms_;
  const CudaWeights& weights_;
  const CudaCache& cache_;
  const CudaRope& rope_;
  CudaTimer& timer_;
  kernels::cuda::StreamHandle stream_;
  kernels::cuda::GateRule gate_;
  bool gates_by_position_;
};

}  // namespace engine
