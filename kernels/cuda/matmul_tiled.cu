// Products of more than kSmallRows tokens: prefill. Bound by arithmetic.
//
// A block computes 128 tokens x 128 weight rows from tiles of 32 columns that asynchronous copies bring into
// shared memory a few steps ahead. Rows of 64 bytes lie there without gaps: eight lanes that read together
// (two rows, four words of 16 bytes) then touch every bank once.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/matmul.cuh"

namespace kernels::cuda {

namespace {

constexpr int kTokens = 128;
constexpr int kOutputs = 128;  // weight rows of a tile; half as many outputs if gated
constexpr int kColumns = 32;
constexpr int kWords = kColumns / 8;  // of 16 bytes per row
// Three tiles under way while one is computed on; 64 KiB, which every device from 8.0 on has.
constexpr int kStages = 4;
constexpr int kStageWords = (kTokens + kOutputs) * kWords;
constexpr std::size_t kSharedBytes = std::size_t{kStages} * kStageWords * 16;

// Eight warps, 2 x 4, of 64 tokens x 32 weight rows each: 64 sums per lane.
constexpr int kWarpsAcross = 4;
constexpr int kThreads = 2 * kWarpsAcross * kWarp;
constexpr int kTokenTiles = 4;   // of 16
constexpr int kOutputTiles = 4;  // of 8

// A thread copies the same words of every tile, each from a row of its own. Rows that do not exist are the
// last one again: what is computed from them is stored nowhere.
template <typename T>
class TileLoader {
 public:
  __device__ TileLoader(const MatmulJob& job, const MatmulTile& tile) : cols_(job.input.cols) {
    const int row = static_cast<int>(threadIdx.x) / kWords;
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const int at = row + i * kCopyRows;
      from_[i] = (at < kTokens ? token_row(job, at) : weight_row(job, tile, at - kTokens)) + first_column();
    }
  }

  // Starts the copies of one step's columns into a stage: tokens first, then weight rows. Nothing after the
  // last step.
  __device__ void start(uint4* stage, int step) const {
    uint4* to = stage + threadIdx.x;
    const int column = step * kColumns;
    if (column + kColumns <= cols_) {
#pragma unroll
      for (int i = 0; i < kCopies; ++i) copy_16_async(to + i * kThreads, from_[i] + column, true);
    } else if (column < cols_) {
#pragma unroll
      for (int i = 0; i < kCopies; ++i) {
        to[i * kThreads] = load_8(from_[i] - first_column(), first_column() + column, cols_);
      }
    }
    commit_copies();
  }

 private:
  static constexpr int kCopyRows = kThreads / kWords;  // that all threads copy at once
  static constexpr int kCopies = (kTokens + kOutputs) / kCopyRows;

  __device__ static int first_column() {
    return static_cast<int>(threadIdx.x) % kWords * 8;
  }

  __device__ static const T* token_row(const MatmulJob& job, int row) {
    const int token = static_cast<int>(blockIdx.y) * kTokens + row;
    const int last = job.input.rows - 1;
    return static_cast<const T*>(job.input.x) + (token < last ? token : last) * job.input.x_stride;
  }

  // Gated: of the 32 rows of each warp the first 16 are gate's, the others the same ones of up.
  __device__ static const T* weight_row(const MatmulJob& job, const MatmulTile& tile, int row) {
    const bool gated = job.epilogue == Epilogue::gated;
    const WeightMatrix& weights = job.matrices[gated ? row % 32 / 16 : tile.matrix];
    const int output = tile.first + (gated ? row / 32 * 16 + row % 16 : row);
    const int last = weights.rows - 1;
    return static_cast<const T*>(weights.data) + (output < last ? output : last) * weights.row_stride;
  }

  const T* from_[kCopies];
  int cols_;
};

// A lane's part of a warp's 64 x 32 sums.
struct WarpSums {
  float sums[kTokenTiles][kOutputTiles][4] = {};

  template <typename T>
  __device__ void add(const uint4* stage, int warp_row, int warp_column) {
    const int g = lane_index() / 4;
    const int t = lane_index() % 4;
    const uint4* tokens = stage + warp_row * 64 * kWords;
    const uint4* weights = stage + (kTokens + warp_column * 32) * kWords;
    uint4 b[kOutputTiles];
#pragma unroll
    for (int j = 0; j < kOutputTiles; ++j) b[j] = weights[(8 * j + g) * kWords + t];
#pragma unroll
    for (int i = 0; i < kTokenTiles; ++i) {
      const uint4 low = tokens[(16 * i + g) * kWords + t];
      const uint4 high = tokens[(16 * i + g + 8) * kWords + t];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const unsigned a[4] = {first_word(low, half), first_word(high, half), second_word(low, half),
                               second_word(high, half)};
#pragma unroll
        for (int j = 0; j < kOutputTiles; ++j) {
          const unsigned column[2] = {first_word(b[j], half), second_word(b[j], half)};
          mma<T>(sums[i][j], a, column);
        }
      }
    }
  }
};

template <typename T>
__device__ void store(const MatmulJob& job, const MatmulTile& tile, const WarpSums& all, int warp_row,
                      int warp_column) {
  const bool gated = job.epilogue == Epilogue::gated;
  const int g = lane_index() / 4;
  const int t = lane_index() % 4;
#pragma unroll
  for (int i = 0; i < kTokenTiles; ++i) {
#pragma unroll
    for (int part = 0; part < 4; ++part) {
      const int token =
          static_cast<int>(blockIdx.y) * kTokens + warp_row * 64 + 16 * i + g + (part < 2 ? 0 : 8);
      const int column = 2 * t + part % 2;
#pragma unroll
      for (int j = 0; j < kOutputTiles; ++j) {
        if (!gated) {
          finish(job, tile.matrix, token, tile.first + warp_column * 32 + 8 * j + column,
                 all.sums[i][j][part]);
        } else if (j < kOutputTiles / 2) {
          finish_gated<T>(job, token, tile.first + warp_column * 16 + 8 * j + column, all.sums[i][j][part],
                          all.sums[i][j + kOutputTiles / 2][part]);
        }
      }
    }
  }
}

template <typename T>
__global__ void __launch_bounds__(kThreads) tiled_matmul_kernel(const MatmulJob job) {
  uint4* stages = dynamic_shared<uint4>();
  const bool gated = job.epilogue == Epilogue::gated;
  const MatmulTile tile = find_tile(job, static_cast<int>(blockIdx.x), gated ? kOutputs / 2 : kOutputs);
  const TileLoader<T> loader(job, tile);
  const int warp_row = warp_index() / kWarpsAcross;
  const int warp_column = warp_index() % kWarpsAcross;
  const int steps = (job.input.cols + kColumns - 1) / kColumns;
  let_successor_start();
  wait_for_predecessor();

  for (int ahead = 0; ahead < kStages - 1; ++ahead) loader.start(stages + ahead * kStageWords, ahead);
  WarpSums sums;
  for (int step = 0; step < steps; ++step) {
    wait_for_copies<kStages - 2>();
    __syncthreads();  // this step's tile is complete, and the last one's is no longer read
    const int ahead = step + kStages - 1;
    loader.start(stages + ahead % kStages * kStageWords, ahead);
    sums.add<T>(stages + step % kStages * kStageWords, warp_row, warp_column);
  }
  store<T>(job, tile, sums, warp_row, warp_column);
}

}  // namespace

void launch_tiled(MatmulJob job, int matrix_count, StreamHandle stream) {
  const unsigned tiles =
      count_tiles(job, matrix_count, job.epilogue == Epilogue::gated ? kOutputs / 2 : kOutputs);
  const LaunchShape shape{
      {tiles, blocks_for(job.input.rows, kTokens)}, kThreads, kSharedBytes, job.input.pdl};
  with_element(job.input.dtype,
               [&](auto element) { launch(tiled_matmul_kernel<decltype(element)>, shape, stream, job); });
}

}  // namespace kernels::cuda
