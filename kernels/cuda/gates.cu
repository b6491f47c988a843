#include "kernels/cuda/gates.hpp"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;
constexpr int kRows = 4;  // of a block: each reads the heads' weights once for all of them

// x times the norm's weight, without the factor that all of a row's products share.
struct RowsOfX {
  const float* x[kRows];

  __device__ RowsOfX(const RawGateArgs& args, int first) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const int row = first + r < args.rows ? first + r : args.rows - 1;  // the tail's results are not used
      x[r] = args.x + row * args.x_stride;
    }
  }
};

template <typename W>
__global__ void __launch_bounds__(kThreads) raw_gate_kernel(const RawGateArgs args) {
  __shared__ float scratch[kWarps];
  const int first = static_cast<int>(blockIdx.x) * kRows;
  wait_for_predecessor();
  const RowsOfX rows(args, first);
  float factor[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    float squares = 0;
    for (int i = static_cast<int>(threadIdx.x); i < args.cols; i += kThreads)
      squares += rows.x[r][i] * rows.x[r][i];
    factor[r] = 1.0f / sqrtf(block_sum(squares, scratch) / static_cast<float>(args.cols) + args.eps);
  }
  let_successor_start();
  for (int head = warp_index(); head < args.kv_heads; head += kWarps) {
    const W* weight = static_cast<const W*>(args.weight) + head * args.head_stride;
    float sums[kRows] = {};
    for (int i = lane_index(); i < args.cols; i += kWarp) {
      const float w = to_float(weight[i]) * args.norm_weight[i];
#pragma unroll
      for (int r = 0; r < kRows; ++r) sums[r] += w * rows.x[r][i];
    }
    const float bias = args.bias != nullptr ? args.bias[head * args.bias_stride] : 0.0f;
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const float sum = warp_sum(sums[r]);
      if (lane_index() == 0 && first + r < args.rows) {
        args.raw[head * args.raw_stride + first + r] = sum * factor[r] + bias;
      }
    }
  }
}

template <typename W>
void launch_type(const RawGateArgs& args, StreamHandle stream) {
  launch(raw_gate_kernel<W>, {blocks_for(args.rows, kRows), kThreads, 0, args.pdl}, stream, args);
}

}  // namespace

void launch_raw_gates(const RawGateArgs& args, StreamHandle stream) {
  if (args.rows == 0) return;
  if (args.dtype == DType::f32) return launch_type<float>(args, stream);
  with_element(args.dtype, [&](auto element) { launch_type<decltype(element)>(args, stream); });
}

}  // namespace kernels::cuda
