// Kernels that only move memory: what every other kernel's rate is compared with, and synthetic weights.
#pragma once

#include <cstdint>

#include "kernels/cuda/runtime.hpp"
#include "kernels/tensor.hpp"

namespace kernels::cuda {

// to[i] = from[i]; both 16-byte aligned, bytes a multiple of 16. Moves 2 * bytes.
void launch_copy(void* to, const void* from, std::int64_t bytes, StreamHandle stream);

// Reads everything and keeps nothing; `sink` is one float that is practically never written. Moves `bytes`.
void launch_read(const void* from, std::int64_t bytes, float* sink, StreamHandle stream);

// Approximately normal values of the given standard deviation, the same for the same seed: weights for
// benchmarks. f32, f16 or bf16.
void launch_fill_random(void* to, DType dtype, std::int64_t count, float deviation, std::uint64_t seed,
                        StreamHandle stream);

// to[i] = from[i] rounded to bf16: float32 checkpoints are run in it.
void launch_to_bf16(void* to, const float* from, std::int64_t count, StreamHandle stream);

}  // namespace kernels::cuda
