#include <algorithm>
#include <cstdlib>

#include "kernels/cpu/cpu_features.hpp"
#include "kernels/cpu/ops.hpp"
#include "kernels/cpu/simd/tables.hpp"

namespace kernels {
namespace {

std::vector<const CpuOps*> detect_ops() {
  std::vector<const CpuOps*> ops{&simd::portable_ops()};
#if defined(DMSCOPE_X86_KERNELS)
  const CpuFeatures features = detect_cpu_features();
  if (features.avx2) ops.push_back(&simd::avx2_ops());
  if (features.avx512) ops.push_back(&simd::avx512_ops());
  if (features.avx512_bf16) ops.push_back(&simd::avx512_bf16_ops());
  if (features.amx_bf16 && simd::amx_agrees()) ops.push_back(&simd::amx_ops());
#endif
  return ops;
}

const std::vector<const CpuOps*>& detected_ops() {
  static const std::vector<const CpuOps*> ops = detect_ops();
  return ops;
}

constexpr std::string_view kNames[] = {"portable", "avx2", "avx512", "avx512_bf16", "amx"};

}  // namespace

std::vector<const CpuOps*> available_ops() {
  return detected_ops();
}

const CpuOps& best_ops(std::string* reason) {
  const std::vector<const CpuOps*>& ops = detected_ops();
  const CpuOps& best = *ops.back();
  const char* asked = std::getenv("DMSCOPE_ISA");
  std::string why;  // nothing to say about the best this processor runs
  const CpuOps* chosen = &best;
  if (asked != nullptr && *asked != '\0') {
    const std::string_view name = asked;
    const auto found =
        std::find_if(ops.begin(), ops.end(), [&](const CpuOps* table) { return table->name == name; });
    const bool known = std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
    if (found != ops.end()) {
      chosen = *found;
      why = "asked for by DMSCOPE_ISA";
    } else if (known) {
      why = "DMSCOPE_ISA=" + std::string(name) + ": this processor cannot run it";
    } else {
      why = "DMSCOPE_ISA=" + std::string(name) +
            ": unknown; expected portable, avx2, avx512, avx512_bf16 or amx";
    }
  }
  if (reason != nullptr) *reason = why;
  return *chosen;
}

}  // namespace kernels
