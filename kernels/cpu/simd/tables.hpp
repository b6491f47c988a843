// The tables of operations made of each instruction set's kernels. Calling one that the processor cannot run
// is undefined; dispatch.cpp asks first.
#pragma once

#include "kernels/cpu/ops.hpp"

namespace kernels::simd {

const CpuOps& portable_ops();
const CpuOps& avx2_ops();
const CpuOps& avx512_ops();
const CpuOps& avx512_bf16_ops();
const CpuOps& amx_ops();

// Whether the AMX table gives the same product as AVX512-BF16 on this processor, for a shape with every kind
// of tail. The kernels were written without such a processor at hand, so they are used only where they prove
// right.
bool amx_agrees();

}  // namespace kernels::simd
