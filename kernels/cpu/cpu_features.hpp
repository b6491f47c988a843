// What the processor and the operating system together allow: an instruction set counts only if the system
// also saves its registers.
#pragma once

namespace kernels {

struct CpuFeatures {
  bool avx2 = false;    // with FMA and F16C
  bool avx512 = false;  // F, BW, VL and DQ
  bool avx512_bf16 = false;
  bool amx_bf16 = false;  // tile registers requested from the kernel and granted
};

CpuFeatures detect_cpu_features();

}  // namespace kernels
