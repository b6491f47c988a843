// Products of many tokens on AMX tiles, with AVX512-BF16 around them. See kernels.hpp for what such a unit
// must not do, and amx.hpp for what has and has not been run.
#include "kernels/cpu/simd/vector_avx512.hpp"
//
#include "kernels/cpu/simd/round_avx512.hpp"
//
#include "kernels/cpu/simd/amx.hpp"

namespace kernels::simd {

constinit const PanelKernels kAmxPanels = panel_kernels<AmxGemm<HardwareTiles>>();

}  // namespace kernels::simd
