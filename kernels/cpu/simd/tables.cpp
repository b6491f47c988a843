#include "kernels/cpu/simd/tables.hpp"

#include "kernels/cpu/simd/stream_choice.hpp"
#include "kernels/cpu/simd/work.hpp"

namespace kernels::simd {
namespace {

// Timed when the table is first used, by whichever thread comes first.
template <const Kernels& kKernels>
int streams() {
  static const int chosen = best_streams(kKernels);
  return chosen;
}

template <const Kernels& kKernels>
CpuOps table(const char* name) {
  return {
      name,
      [](std::span<const MatmulArgs> matmuls, const Part& part) {
        share_matmul(kKernels, streams<kKernels>(), matmuls, part);
      },
      [](const GatedMatmulArgs& args, const Part& part) {
        share_gated_matmul(kKernels, streams<kKernels>(), args, part);
      },
      kKernels.rmsnorm,
      kKernels.attend_slots,
      [](const AttendBlockArgs& args) { attend_block_with_scratch(kKernels, args); },
  };
}

}  // namespace

const CpuOps& portable_ops() {
  static const CpuOps ops = table<kPortableKernels>("portable");
  return ops;
}

#if defined(DMSCOPE_X86_KERNELS)

const CpuOps& avx2_ops() {
  static const CpuOps ops = table<kAvx2Kernels>("avx2");
  return ops;
}

const CpuOps& avx512_ops() {
  static const CpuOps ops = table<kAvx512Kernels>("avx512");
  return ops;
}

const CpuOps& avx512_bf16_ops() {
  static const CpuOps ops = table<kAvx512Bf16Kernels>("avx512_bf16");
  return ops;
}

#endif

}  // namespace kernels::simd
