// The tables of operations made of each instruction set's kernels. Calling one that the processor cannot run
// is undefined; dispatch.cpp asks first.
#pragma once

#include "kernels/cpu/ops.hpp"

namespace kernels::simd {

const CpuOps& portable_ops();
const CpuOps& avx2_ops();
const CpuOps& avx512_ops();
const CpuOps& avx512_bf16_ops();

}  // namespace kernels::simd
