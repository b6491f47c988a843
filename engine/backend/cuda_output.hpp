// From the arrays in which a device leaves a step's decisions to what each sequence is told.
#pragma once

#include <cstdint>
#include <span>

#include "engine/backend/backend.hpp"
#include "engine/backend/cuda_activations.hpp"
#include "engine/backend/cuda_step.hpp"

namespace engine {

class DecisionReader {
 public:
  // `decisions`: [layers, kv_heads, stride], column i for row i of the step.
  DecisionReader(const ModelConfig& config, const CudaDecisions<kernels::cuda::PinnedArray>& decisions,
                 std::int64_t stride);

  // What the share's sequence is told. Adds the slots that its queries read to `reads`, [layers].
  SequenceOutput read(const CudaShare& share, SequenceId sequence, int lag, bool live_at,
                      std::span<std::int64_t> reads) const;

 private:
  const ModelConfig& config_;
  const CudaDecisions<kernels::cuda::PinnedArray>& decisions_;
  std::int64_t stride_;
};

}  // namespace engine
