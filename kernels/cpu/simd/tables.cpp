#include "kernels/cpu/simd/tables.hpp"

#include "kernels/cpu/simd/stream_choice.hpp"
#include "kernels/cpu/simd/work.hpp"

namespace kernels::simd {
namespace {

// The kernels of a table.
const Kernels& portable() {
  return kPortableKernels;
}

#if defined(DMSCOPE_X86_KERNELS)
const Kernels& avx2() {
  return kAvx2Kernels;
}
const Kernels& avx512() {
  return kAvx512Kernels;
}

const Kernels& avx512_bf16() {
  static const Kernels kernels = [] {
    Kernels result = kAvx512Kernels;
    result.panels_bf16 = kAvx512Bf16Panels;
    result.attend_bf16 = kAvx512Bf16Attend;
    return result;
  }();
  return kernels;
}

const Kernels& amx() {
  static const Kernels kernels = [] {
    Kernels result = avx512_bf16();
    result.panels_bf16 = kAmxPanels;
    return result;
  }();
  return kernels;
}
#endif

// Timed when the table is first used, by whichever thread comes first.
template <const Kernels& (*kKernels)()>
int streams() {
  static const int chosen = best_streams(kKernels());
  return chosen;
}

template <const Kernels& (*kKernels)()>
const CpuOps& table(const char* name) {
  static const CpuOps ops{
      name,
      [](std::span<const MatmulArgs> matmuls, const Part& part) {
        share_matmul(kKernels(), streams<kKernels>(), matmuls, part);
      },
      [](const GatedMatmulArgs& args, const Part& part) {
        share_gated_matmul(kKernels(), streams<kKernels>(), args, part);
      },
      kKernels().rmsnorm,
      kKernels().attend_slots,
      [](const AttendBlockArgs& args) { attend_block_with_scratch(kKernels(), args); },
  };
  return ops;
}

}  // namespace

const CpuOps& portable_ops() {
  return table<portable>("portable");
}

#if defined(DMSCOPE_X86_KERNELS)

const CpuOps& avx2_ops() {
  return table<avx2>("avx2");
}
const CpuOps& avx512_ops() {
  return table<avx512>("avx512");
}
const CpuOps& avx512_bf16_ops() {
  return table<avx512_bf16>("avx512_bf16");
}
const CpuOps& amx_ops() {
  return table<amx>("amx");
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
