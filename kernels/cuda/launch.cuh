// How every kernel is launched: no <<<>>>, so that the same source runs on a device and in the emulation.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <utility>

#include "kernels/cuda/runtime.hpp"

namespace kernels::cuda {

struct LaunchShape {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;  // of dynamic shared memory
  // Programmatic dependent launch: the kernel may start while its predecessor in the stream is still running,
  // and must call wait_for_predecessor() before it touches anything that one writes.
  bool pdl = false;
};

// More dynamic shared memory than this must be asked for.
inline constexpr std::size_t kPlainSharedBytes = 48 * 1024;

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), const LaunchShape& shape, StreamHandle stream,
            Arguments&&... arguments) {
  if (shape.shared_bytes > kPlainSharedBytes) {
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                               cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.shared_bytes)),
          "give a kernel its shared memory");
  }
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = stream;
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  config.attrs = &attribute;
  config.numAttrs = shape.pdl && dependent_launches() ? 1 : 0;
  check(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...), "launch a kernel");
}

// Blocks needed for `count` items at `per_block` each.
constexpr unsigned blocks_for(std::int64_t count, std::int64_t per_block) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

}  // namespace kernels::cuda
