// Shares the products of a parallel region among its threads and gives each the scratch memory it needs.
// Compiled for the baseline processor, like everything outside the instruction sets' own units.
#pragma once

#include <span>

#include "kernels/cpu/simd/kernels.hpp"

namespace kernels::simd {

// `streams` is what best_streams() chose.
void share_matmul(const Kernels& kernels, int streams, std::span<const MatmulArgs> matmuls, const Part& part);
void share_gated_matmul(const Kernels& kernels, int streams, const GatedMatmulArgs& args, const Part& part);
void attend_block_with_scratch(const Kernels& kernels, const AttendBlockArgs& args);

}  // namespace kernels::simd
