#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

__global__ void empty_kernel() {}

}  // namespace

void check_kernels_load() {
  cudaFuncAttributes attributes{};
  check(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&empty_kernel)),
        "load the kernels of this program");
}

}  // namespace kernels::cuda
