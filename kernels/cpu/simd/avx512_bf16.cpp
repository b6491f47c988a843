// The kernels compiled for this instruction set. See kernels.hpp for what such a unit must not do.
#include "kernels/cpu/simd/vector_avx512.hpp"
//
#include "kernels/cpu/simd/round_avx512.hpp"
//
#include "kernels/cpu/simd/attend_block.hpp"
#include "kernels/cpu/simd/attend_slots.hpp"
#include "kernels/cpu/simd/bf16.hpp"
#include "kernels/cpu/simd/dot.hpp"
#include "kernels/cpu/simd/gemm.hpp"
#include "kernels/cpu/simd/norm.hpp"

namespace kernels::simd {

constinit const Kernels kAvx512Bf16Kernels{dot_rows,
                                           gated_dot_rows,
                                           panel_kernels<FloatGemm<DType::f32>>(),
                                           panel_kernels<FloatGemm<DType::f16>>(),
                                           panel_kernels<Bf16Gemm>(),
                                           rmsnorm,
                                           attend_slots,
                                           float_attention_scratch,
                                           bf16_attend_block};

}  // namespace kernels::simd
