#include "kernels/cuda/rmsnorm.hpp"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

constexpr unsigned kThreads = 256;

// One block per row.
template <typename T>
__global__ void rmsnorm_kernel(const RmsNormArgs args) {
  __shared__ float scratch[kThreads / kWarp];
  let_successor_start();
  wait_for_predecessor();
  const float* x = args.x + blockIdx.x * args.x_stride;
  T* out = static_cast<T*>(args.out) + blockIdx.x * args.out_stride;
  float squares = 0;
  for (int i = static_cast<int>(threadIdx.x); i < args.cols; i += static_cast<int>(kThreads))
    squares += x[i] * x[i];
  const float mean = block_sum(squares, scratch) / static_cast<float>(args.cols);
  const float factor = 1.0f / sqrtf(mean + args.eps);
  for (int i = static_cast<int>(threadIdx.x); i < args.cols; i += static_cast<int>(kThreads)) {
    out[i] = from_float<T>(x[i] * factor * args.weight[i]);
  }
}

}  // namespace

void launch_rmsnorm(const RmsNormArgs& args, StreamHandle stream) {
  if (args.rows == 0) return;
  with_element(args.dtype, [&](auto element) {
    launch(rmsnorm_kernel<decltype(element)>, {static_cast<unsigned>(args.rows), kThreads, 0, args.pdl},
           stream, args);
  });
}

}  // namespace kernels::cuda
