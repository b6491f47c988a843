#include <array>
#include <atomic>
#include <cstdlib>
#include <string_view>

#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

__global__ void empty_kernel() {}

std::atomic<bool>& dependent_launches_allowed() {
  static std::atomic<bool> allowed = [] {
    const char* const wish = std::getenv("DMSCOPE_PDL");
    return wish == nullptr || std::string_view(wish) != "0";
  }();
  return allowed;
}

}  // namespace

void check_kernels_load() {
  cudaFuncAttributes attributes{};
  check(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&empty_kernel)),
        "load the kernels of this program");
}

void forbid_dependent_launches() {
  dependent_launches_allowed() = false;
}

bool dependent_launches() {
  if (!dependent_launches_allowed().load(std::memory_order_relaxed)) return false;
  // A fact about each device that never changes, asked for at every launch: 0 not known yet, 1 no, 2 yes.
  static std::array<std::atomic<int>, 64> known{};
  int device = 0;
  if (cudaGetDevice(&device) != cudaSuccess || device < 0 || device >= static_cast<int>(known.size()))
    return false;
  std::atomic<int>& fact = known[static_cast<std::size_t>(device)];
  if (fact.load(std::memory_order_relaxed) == 0) {
    int major = 0;
    cudaFuncAttributes attributes{};
    const bool asked =
        cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
        cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&empty_kernel)) == cudaSuccess;
    // Code compiled for older devices does not wait, even where a newer one runs it.
    fact.store(asked && major >= 9 && attributes.ptxVersion >= 90 ? 2 : 1, std::memory_order_relaxed);
  }
  return fact.load(std::memory_order_relaxed) == 2;
}

}  // namespace kernels::cuda
