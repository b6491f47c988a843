#include "kernels/cpu/ops.hpp"

namespace kernels {

std::vector<const CpuOps*> available_ops() {
  return {};
}

const CpuOps& best_ops(std::string* reason) {
  if (reason != nullptr) *reason = "no vectorised kernels in this build";
  return reference_ops();
}

}  // namespace kernels
