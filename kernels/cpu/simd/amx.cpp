// The kernels compiled for AVX512-BF16, with products of many tokens on AMX tiles. See kernels.hpp for what
// such a unit must not do, and amx.hpp for what has and has not been run.
#include "kernels/cpu/simd/vector_avx512.hpp"
//
#include "kernels/cpu/simd/round_avx512.hpp"
//
#include "kernels/cpu/simd/amx.hpp"
#include "kernels/cpu/simd/attend_slots.hpp"
#include "kernels/cpu/simd/bf16.hpp"
#include "kernels/cpu/simd/norm.hpp"

namespace kernels::simd {

constinit const Kernels kAmxKernels{dot_rows,
                                    gated_dot_rows,
                                    panel_kernels<FloatGemm<DType::f32>>(),
                                    panel_kernels<FloatGemm<DType::f16>>(),
                                    panel_kernels<AmxGemm<HardwareTiles>>(),
                                    rmsnorm,
                                    attend_slots,
                                    float_attention_scratch,
                                    bf16_attend_block};

}  // namespace kernels::simd
