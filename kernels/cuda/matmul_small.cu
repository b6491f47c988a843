// Products of kExactRows + 1 to kSmallRows tokens on the tensor cores: still bound by reading the weights
// once.
//
// Weights are the 16-row operand straight from global memory, tokens the 8-column one; both take 16 bytes per
// lane (see "order of the inner dimension" in device.cuh). A block owns 16 weight rows; its warps share the
// columns, 64 at a time, and add up their sums at the end.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/matmul.cuh"

namespace kernels::cuda {

namespace {

constexpr int kTile = 16;
// Splitting the columns eight ways instead of giving a block more rows keeps narrow outputs (2,048 rows: 128
// blocks) on every multiprocessor.
constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;
constexpr int kSteps = 2;           // of 32 columns: 128 bytes of a row at a time
constexpr int kUnit = 32 * kSteps;  // columns that a warp takes at once
constexpr int kStride = kUnit * kWarps;

// One unit of a warp's weights.
struct Unit {
  uint4 low[kSteps], high[kSteps];  // rows g and g + 8
};

template <typename T, int kTokenTiles>
__global__ void __launch_bounds__(kThreads) small_matmul_kernel(const MatmulJob job) {
  __shared__ float partials[kWarps][kTile][8 * kTokenTiles + 1];  // + 1: rows on different banks
  static_assert(kThreads == kGateThreads);
  let_successor_start();
  if (static_cast<int>(blockIdx.x) < job.gate_blocks) {
    wait_for_predecessor();
    return raw_gate_block_of<T>(job.gates, static_cast<int>(blockIdx.x));
  }
  const bool gated = job.epilogue == Epilogue::gated;
  const MatmulTile tile =
      find_tile(job, static_cast<int>(blockIdx.x) - job.gate_blocks, gated ? kTile / 2 : kTile);
  const int cols = job.input.cols;
  const int g = lane_index() / 4;
  const int t = lane_index() % 4;

  const auto row_of = [&](int matrix, int wanted) {
    const WeightMatrix& weights = job.matrices[matrix];
    const int row = wanted < weights.rows ? wanted : weights.rows - 1;  // the tail's results are not used
    return static_cast<const T*>(weights.data) + row * weights.row_stride;
  };
  const T* low_row = row_of(gated ? 0 : tile.matrix, tile.first + g);
  const T* high_row = row_of(gated ? 1 : tile.matrix, tile.first + (gated ? g : g + 8));
  const auto load = [&](int column) {
    Unit unit;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int c = column + 32 * step + 8 * t;
      const bool inside = c < cols;
      unit.low[step] = inside ? load_streaming(reinterpret_cast<const uint4*>(low_row + c)) : uint4{};
      unit.high[step] = inside ? load_streaming(reinterpret_cast<const uint4*>(high_row + c)) : uint4{};
    }
    return unit;
  };

  int column = warp_index() * kUnit;
  Unit unit = load(column);
  wait_for_predecessor();

  float sums[kTokenTiles][4] = {};
  for (; column < cols; column += kStride) {
    const Unit next = load(column + kStride);
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int c = column + 32 * step + 8 * t;
#pragma unroll
      for (int tokens = 0; tokens < kTokenTiles; ++tokens) {
        const int token = 8 * tokens + g;
        uint4 x{};
        if (token < job.input.rows) {
          x = load_8(static_cast<const T*>(job.input.x) + token * job.input.x_stride, c, cols);
        }
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const unsigned a[4] = {first_word(unit.low[step], half), first_word(unit.high[step], half),
                                 second_word(unit.low[step], half), second_word(unit.high[step], half)};
          const unsigned b[2] = {first_word(x, half), second_word(x, half)};
          mma<T>(sums[tokens], a, b);
        }
      }
    }
    unit = next;
  }

#pragma unroll
  for (int tokens = 0; tokens < kTokenTiles; ++tokens) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      partials[warp_index()][g + (i < 2 ? 0 : 8)][8 * tokens + 2 * t + i % 2] = sums[tokens][i];
    }
  }
  __syncthreads();

  const auto total = [&](int row, int token) {
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < kWarps; ++warp) sum += partials[warp][row][token];
    return sum;
  };
  const int outputs = gated ? kTile / 2 : kTile;
  for (int i = static_cast<int>(threadIdx.x); i < outputs * 8 * kTokenTiles; i += kThreads) {
    const int row = i % outputs;  // neighbouring threads store neighbouring outputs
    const int token = i / outputs;
    if (gated) {
      finish_gated<T>(job, token, tile.first + row, total(row, token), total(row + kTile / 2, token));
    } else {
      finish(job, tile.matrix, token, tile.first + row, total(row, token));
    }
  }
}

template <typename T>
void launch_type(const MatmulJob& job, unsigned tiles, StreamHandle stream) {
  static_assert(kSmallRows == 32);
  const LaunchShape shape{tiles + static_cast<unsigned>(job.gate_blocks), kThreads, 0, job.input.pdl};
  switch ((job.input.rows + 7) / 8) {
    case 1:
      return launch(small_matmul_kernel<T, 1>, shape, stream, job);
    case 2:
      return launch(small_matmul_kernel<T, 2>, shape, stream, job);
    case 3:
      return launch(small_matmul_kernel<T, 3>, shape, stream, job);
    default:
      return launch(small_matmul_kernel<T, 4>, shape, stream, job);
  }
}

}  // namespace

void launch_small(MatmulJob job, int matrix_count, StreamHandle stream) {
  const unsigned tiles = count_tiles(job, matrix_count, job.epilogue == Epilogue::gated ? kTile / 2 : kTile);
  with_element(job.input.dtype, [&](auto element) { launch_type<decltype(element)>(job, tiles, stream); });
}

}  // namespace kernels::cuda
