#include "kernels/cuda/embed.hpp"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

constexpr unsigned kThreads = 256;

template <typename T>
__global__ void embed_kernel(const EmbedArgs args) {
  const auto row = static_cast<std::int64_t>(blockIdx.x);
  const std::int32_t token = args.tokens[row];
  const T* from = static_cast<const T*>(args.table) + token * args.row_stride;
  float* to = args.out + row * args.out_stride;
  for (int i = static_cast<int>(threadIdx.x); i < args.cols; i += static_cast<int>(kThreads)) {
    to[i] = token >= 0 ? to_float(from[i]) : 0.0f;
  }
}

__global__ void gather_kernel(const GatherArgs args) {
  const auto row = static_cast<std::int64_t>(blockIdx.x);
  const float* from = args.x + args.rows_wanted[row] * args.x_stride;
  float* to = args.out + row * args.out_stride;
  for (int i = static_cast<int>(threadIdx.x); i < args.cols; i += static_cast<int>(kThreads)) to[i] = from[i];
}

}  // namespace

void launch_embed(const EmbedArgs& args, StreamHandle stream) {
  if (args.rows == 0) return;
  with_element(args.dtype, [&](auto element) {
    launch(embed_kernel<decltype(element)>, {static_cast<unsigned>(args.rows), kThreads}, stream, args);
  });
}

void launch_gather(const GatherArgs& args, StreamHandle stream) {
  if (args.rows == 0) return;
  launch(gather_kernel, {static_cast<unsigned>(args.rows), kThreads}, stream, args);
}

}  // namespace kernels::cuda
