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

const CpuOps& amx_ops() {
  static const CpuOps ops = table<kAmxKernels>("amx");
  return ops;
}

bool amx_agrees() {
  constexpr std::int64_t kTokens = 67;  // a whole panel, a tile, and three tokens
  constexpr std::int64_t kRows = 41;
  constexpr std::int64_t kCols = 75;
  std::vector<float> x(kTokens * kCols);
  std::vector<std::uint16_t> weights(kRows * kCols);
  // Small integers: every sum is exact, whatever the order.
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(static_cast<int>(i * 7 % 23) - 11);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = float_to_bf16(static_cast<float>(static_cast<int>(i * 5 % 19) - 9));
  }
  const auto product = [&](const CpuOps& ops) {
    std::vector<float> out(kTokens * kRows);
    const MatmulArgs args{x.data(), kCols,      kTokens, {weights.data(), DType::bf16, kRows, kCols},
                          nullptr,  out.data(), kRows,   false};
    ops.matmul({&args, 1}, Part{});
    return out;
  };
  return product(amx_ops()) == product(avx512_bf16_ops());
}

#endif

}  // namespace kernels::simd
