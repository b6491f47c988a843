// The next token of each row of logits: the likeliest, or drawn as engine/session/sampler.hpp draws.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/runtime.hpp"

namespace kernels::cuda {

// The first of the largest logits; 0 where all are NaN.
struct ArgmaxArgs {
  const float* logits = nullptr;  // [rows, stride]
  std::int64_t stride = 0;
  int rows = 0;
  int vocab = 0;
  // argmax_workspace_bytes(rows), zero before its first launch; every launch leaves it so. Not for two
  // launches at a time.
  std::byte* workspace = nullptr;
  std::int32_t* tokens = nullptr;  // [rows] out
  bool pdl = false;
};
std::size_t argmax_workspace_bytes(int rows);
void launch_argmax(const ArgmaxArgs& args, StreamHandle stream);

// Rows with temperature > 0 draw, the others take the likeliest. `random` is the state of a SplitMix64
// generator per row, advanced by one where a token was drawn. Weights are exp((logit - largest) /
// temperature) in float32; top-k keeps the k largest, then top-p the fewest largest whose sum reaches p of
// the total; of equal weights the smaller token id comes first. Weights are added as whole numbers of a
// small unit: the same logits and state always give the same token, but one that may differ from the host's
// where the number drawn lies within rounding (about 1e-7) of the border of two tokens.
struct SampleArgs {
  const float* logits = nullptr;  // [rows, stride]
  std::int64_t stride = 0;
  int rows = 0;
  int vocab = 0;
  const float* temperature = nullptr;   // [rows] on the device
  const double* top_p = nullptr;        // [rows]
  const std::int32_t* top_k = nullptr;  // [rows] 0: all
  std::uint64_t* random = nullptr;      // [rows]
  std::byte* workspace = nullptr;       // as in ArgmaxArgs
  float* weights = nullptr;             // [rows, sample_weights(vocab)] scratch
  std::int32_t* tokens = nullptr;       // [rows] out
};
std::size_t sample_weights(int vocab);  // of a row, padding included
void launch_sample(const SampleArgs& args, StreamHandle stream);

}  // namespace kernels::cuda
