// The kernels compiled for this instruction set. See kernels.hpp for what such a unit must not do.
#include "kernels/cpu/simd/vector_avx512.hpp"
//
#include "kernels/cpu/simd/attend_block.hpp"
#include "kernels/cpu/simd/attend_slots.hpp"
#include "kernels/cpu/simd/dot.hpp"
#include "kernels/cpu/simd/gemm.hpp"
#include "kernels/cpu/simd/norm.hpp"

namespace kernels::simd {

constinit const Kernels kAvx512Kernels{dot_rows,
                                       gated_dot_rows,
                                       panel_kernels<FloatGemm<DType::f32>>(),
                                       panel_kernels<FloatGemm<DType::f16>>(),
                                       panel_kernels<FloatGemm<DType::bf16>>(),
                                       rmsnorm,
                                       attend_slots,
                                       block_kernels<FloatAttention<DType::f32>>(),
                                       block_kernels<FloatAttention<DType::bf16>>()};

}  // namespace kernels::simd
