// The numbers are those of the CUDA runtime's cudaError_t, so that this compiles without its headers.
#include "engine/backend/cuda_errors.hpp"

namespace engine {

namespace {

constexpr int kMemoryAllocation = 2;

const char* explanation(int code) {
  switch (code) {
    case kMemoryAllocation:
      return "the GPU is out of memory";
    case 46:  // devices unavailable: exclusive mode, or the GPU is gone
      return "the GPU is held by another process (exclusive compute mode, nvidia-smi shows whose) "
             "or has become unavailable";
    case 101:  // invalid device
      return "there is no such GPU";
    case 209:  // no kernel image
    case 222:  // unsupported PTX version
      return "this build has no kernels that the GPU can run";
    case 214:  // ECC uncorrectable
    case 220:  // NVLink uncorrectable
    case 721:  // contained
      return "the GPU's hardware reports an error that it could not correct";
    case 700:  // illegal address
    case 714:  // hardware stack error
    case 715:  // illegal instruction
    case 716:  // misaligned address
    case 717:  // invalid address space
    case 718:  // invalid program counter
    case 719:  // launch failure
      return "a kernel failed on the GPU: this is a defect of DMScope, or of the GPU; start DMScope "
             "again before it uses the GPU";
    case 702:  // launch timeout
      return "the driver stopped a kernel that ran too long (a GPU that drives a display allows seconds)";
    case 4:    // cudart unloading
    case 201:  // device uninitialized
    case 999:  // unknown
      return "the GPU was lost (reset, unplugged, or its driver was stopped; "
             "nvidia-smi shows whether it is back; then start DMScope again)";
    default:
      return "the GPU reports an error";
  }
}

}  // namespace

bool survives_cuda_error(int code) {
  return code == kMemoryAllocation;
}

Error cuda_error(int code, std::string_view text, std::string_view doing) {
  return failed("{} during {}: {} ({})", explanation(code), doing, text, code);
}

}  // namespace engine
