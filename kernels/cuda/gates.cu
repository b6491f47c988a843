#include "kernels/cuda/gates.cuh"

#include "kernels/cuda/launch.cuh"

namespace kernels::cuda {

namespace {

template <typename T>
__global__ void __launch_bounds__(kGateThreads) raw_gate_kernel(const RawGateArgs args) {
  let_successor_start();
  wait_for_predecessor();
  raw_gate_block_of<T>(args, static_cast<int>(blockIdx.x));
}

}  // namespace

void launch_raw_gates(const RawGateArgs& args, StreamHandle stream) {
  if (args.rows == 0) return;
  const LaunchShape shape{static_cast<unsigned>(gate_blocks(args)), kGateThreads, 0, args.pdl};
  if (args.dtype == DType::f32)
    return launch(raw_gate_kernel<Bf16>, shape, stream, args);  // of any type but float
  with_element(args.dtype,
               [&](auto element) { launch(raw_gate_kernel<decltype(element)>, shape, stream, args); });
}

}  // namespace kernels::cuda
