// What is compiled for AVX512-BF16. See kernels.hpp for what such a unit must not do.
#include "kernels/cpu/simd/vector_avx512.hpp"
//
#include "kernels/cpu/simd/round_avx512.hpp"
//
#include "kernels/cpu/simd/bf16.hpp"

namespace kernels::simd {

constinit const PanelKernels kAvx512Bf16Panels = panel_kernels<Bf16Gemm>();
constinit const BlockKernels kAvx512Bf16Attend = block_kernels<Bf16Attention>();

}  // namespace kernels::simd
