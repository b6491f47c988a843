#include "kernels/cuda/matmul.cuh"

#include <stdexcept>

namespace kernels::cuda {

namespace {

bool aligned(const void* data, std::int64_t stride, std::int64_t elements_per_16_bytes) {
  return reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && stride % elements_per_16_bytes == 0;
}

void check_operands(const MatmulJob& job, int matrix_count) {
  const MatmulInput& input = job.input;
  const bool exact = input.rows <= kExactRows;
  if (!aligned(input.x, input.x_stride, exact ? 4 : 8)) {
    throw std::invalid_argument("rows of a product's x must begin at multiples of 16 bytes");
  }
  if (!exact && input.norm_weight != nullptr) {
    throw std::invalid_argument("a product of so many rows does not normalise them: launch_rmsnorm does");
  }
  for (int i = 0; i < matrix_count; ++i) {
    if (!aligned(job.matrices[i].data, job.matrices[i].row_stride, 8)) {
      throw std::invalid_argument("rows of weights must begin at multiples of 16 bytes");
    }
  }
}

void run(const MatmulJob& job, int matrix_count, StreamHandle stream) {
  if (job.input.rows == 0) return;
  check_operands(job, matrix_count);
  if (job.input.rows <= kExactRows) {
    launch_exact(job, matrix_count, stream);
  } else if (job.input.rows <= kSmallRows) {
    launch_small(job, matrix_count, stream);
  } else {
    launch_tiled(job, matrix_count, stream);
  }
}

void add_gates(MatmulJob& job, const RawGateArgs& gates, StreamHandle stream) {
  if (gates.rows != job.input.rows) throw std::invalid_argument("gates of other rows than the product's");
  if (gates.dtype != DType::f32 && gates.dtype != job.input.dtype) {
    throw std::invalid_argument("gates' weights must be float32 or of the product's type");
  }
  if (job.input.rows > kSmallRows) return launch_raw_gates(gates, stream);
  job.gates = gates;
  job.gate_blocks = gate_blocks(gates);
}

}  // namespace

void launch_matmul(const MatmulArgs& args, StreamHandle stream) {
  MatmulJob job;
  job.input = args.input;
  for (int i = 0; i < args.matrix_count; ++i) job.matrices[i] = args.matrices[i];
  job.epilogue = args.accumulate ? Epilogue::accumulate : Epilogue::store;
  if (args.gates.rows > 0) add_gates(job, args.gates, stream);
  run(job, args.matrix_count, stream);
}

void launch_gated_matmul(const GatedMatmulArgs& args, StreamHandle stream) {
  MatmulJob job;
  job.input = args.input;
  job.matrices[0] = args.gate;
  job.matrices[1] = args.up;
  job.epilogue = Epilogue::gated;
  job.gated_out = args.out;
  job.gated_stride = args.out_stride;
  run(job, 2, stream);
}

}  // namespace kernels::cuda
