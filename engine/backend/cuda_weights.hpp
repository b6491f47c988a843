// A model's weights on one GPU: one allocation, every matrix row-major as in the checkpoint with rows at
// multiples of 16 bytes, vectors in float32.
//
// Matrices are bf16, or f16 where all of the checkpoint's are; others are converted on the way, which
// `notices` says. Immutable once uploaded, and shared by all backends of the model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend/backend.hpp"
#include "kernels/cuda/matmul.hpp"
#include "kernels/cuda/runtime.hpp"

namespace engine {

// Pointers are null where the model has no such weights; WeightMatrix::out is left to the pass.
struct CudaLayer {
  kernels::cuda::WeightMatrix q, k, v, o, gate, up, down;
  const float* attention_norm = nullptr;
  const float* mlp_norm = nullptr;
  const float* q_norm = nullptr;
  const float* k_norm = nullptr;
  const float* alpha_norm = nullptr;
  const float* alpha = nullptr;  // [kv_heads, hidden]
  const float* alpha_bias = nullptr;
};

struct CudaWeights {
  kernels::DType dtype = kernels::DType::bf16;
  kernels::cuda::WeightMatrix embedding, head;
  const float* final_norm = nullptr;
  std::vector<CudaLayer> layers;
  std::vector<std::string> notices;
  kernels::cuda::DeviceBuffer memory;  // holds all of them

  std::int64_t bytes() const { return static_cast<std::int64_t>(memory.bytes()); }
};

// What the weights will take on a GPU.
std::int64_t cuda_weight_bytes(const Model& model);

// The model's weights on the selected GPU `gpu`, uploaded unless they are there already. Fails with what is
// needed, free and missing if they and `working_bytes` beside them do not fit. Throws CudaError.
Result<std::shared_ptr<const CudaWeights>> cuda_weights(const Model& model, int gpu,
                                                        std::int64_t working_bytes,
                                                        const UploadProgress& progress);

}  // namespace engine
