#include "kernels/cuda/nvtx.hpp"

#ifndef DMSCOPE_CUDA_EMULATION
#include <nvtx3/nvToolsExt.h>
#endif

namespace kernels::cuda {

#ifdef DMSCOPE_CUDA_EMULATION

void push_range(const char*) {}
void pop_range() {}

#else

void push_range(const char* name) {
  nvtxRangePushA(name);
}

void pop_range() {
  nvtxRangePop();
}

#endif

}  // namespace kernels::cuda
