// Stands in for the CUDA backend in a build without a CUDA toolkit.
#include "engine/backend/backend.hpp"
#include "engine/backend/devices.hpp"
#include "engine/bench/gpu_ceiling.hpp"

namespace engine {

GpuProbe probe_gpus() {
  return {};
}

Result<std::unique_ptr<Backend>> make_cuda_backend(std::shared_ptr<const Model>, std::unique_ptr<Policy>&,
                                                   const BackendOptions&) {
  return bad_input("{}", judge_gpus({}).reason);
}

Result<GpuCeiling> measure_gpu_ceiling(int) {
  return bad_input("{}", judge_gpus({}).reason);
}

Result<double> gpu_copy_bytes_per_second(int) {
  return bad_input("{}", judge_gpus({}).reason);
}

}  // namespace engine
