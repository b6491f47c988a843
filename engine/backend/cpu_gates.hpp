// The model's decision logits of one layer (DESIGN §1), and the zeroing of a borrowed neuron.
//
// Logits are thresholded, so they are computed from float32 activations even where the matmuls round theirs:
// a matmul of at most kExactRows rows never rounds its input.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/checkpoint/model.hpp"
#include "kernels/cpu/ops.hpp"

namespace engine {

// Activations of a few rows (tokens) of one layer.
struct GateRows {
  std::int64_t rows = 0;
  const float* x = nullptr;       // [rows, hidden] the layer's input, before the input norm
  const float* normed = nullptr;  // [rows, hidden] after it
  const float* q =
      nullptr;  // [rows, query_heads * head_dim] query projection, before the query norm and RoPE
};

// gates[kv_head * gate_stride + row]. Does nothing for GateForm::none. `scratch` is the calling thread's.
void compute_gates(const kernels::CpuOps& ops, const Model& model, const LayerWeights& layer,
                   const GateRows& rows, float* gates, std::int64_t gate_stride, std::vector<float>& scratch);

// This thread's rows of one matmul, from float32 activations whatever the table does with larger ones.
void exact_matmul(const kernels::CpuOps& ops, kernels::MatmulArgs args);

// Takes the borrowed neuron out of one row of queries, [query_heads * head_dim]: the last channel of the
// first query head of every group. The other heads of the group, and the keys, keep theirs.
void zero_borrowed_neuron(const ModelConfig& config, float* q);

}  // namespace engine
