// The AMX product on emulated tiles, compiled for any processor.
#include "kernels/cpu/simd/vector_portable.hpp"
//
#include "kernels/cpu/simd/round_portable.hpp"
//
#include "kernels/cpu/simd/amx.hpp"
#include "tests/kernels/amx_emulated.hpp"

namespace kernels::test {

simd::Kernels emulated_amx_kernels() {
  simd::Kernels kernels = simd::kPortableKernels;
  kernels.panels_bf16 = simd::panel_kernels<simd::AmxGemm<simd::EmulatedTiles>>();
  return kernels;
}

}  // namespace kernels::test
