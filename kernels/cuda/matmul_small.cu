// Products of kExactRows + 1 to kSmallRows tokens on the tensor cores: still bound by reading the weights
// once.
//
// Weights are the 16-row operand, tokens the 8-column one; both take 16 bytes per lane (see "order of the
// inner dimension" in device.cuh). The warps of a block share the columns of its tile, 64 at a time, and add
// up their sums at the end. Asynchronous copies run some stages ahead of the tensor cores. A thread copies
// the very words that it multiplies, so its ring of stages is its own and nobody waits for anybody else's
// copies.
#include <algorithm>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/matmul.cuh"

namespace kernels::cuda {

namespace {

// Splitting the columns eight ways instead of giving a warp rows of its own keeps narrow outputs (2,048 rows:
// 128 blocks) on every multiprocessor. Which columns a warp adds up, and in which order, depends on nothing
// but their number: a token's result is the same in any batch and from a tile of any height.
constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;
constexpr int kUnit = 64;  // columns that a warp takes at once: 128 bytes of a row
constexpr int kStep = 32;  // of them in a stage
constexpr int kStride = kUnit * kWarps;

// Every block reads all tokens: the higher its tile, the less they weigh beside the weights. But a tile is
// only as high as leaves about a block for each multiprocessor of a large device.
constexpr unsigned kEnoughBlocks = 128;

// Words of 16 bytes that a thread has at most for its ring. 96 KiB per block: what every device from 8.0 on
// has, and two blocks fit into a multiprocessor of compute capability 9.0 or 10.0.
constexpr int kRingWords = 24;

constexpr std::size_t bytes_of_words(int words_per_thread) {
  return std::size_t{kThreads} * 16 * static_cast<std::size_t>(words_per_thread);
}

// A tile of kRows weight rows, and what of it and of the tokens is in the ring.
template <int kRowTiles_, int kTokenTiles_>
struct Shape {
  static constexpr int kRowTiles = kRowTiles_;
  static constexpr int kTokenTiles = kTokenTiles_;
  static constexpr int kRows = 16 * kRowTiles;
  static constexpr int kTokens = 8 * kTokenTiles;
  static constexpr int kWeightWords = 2 * kRowTiles;  // of a thread and stage
  static constexpr int kWords = kWeightWords + kTokenTiles;
  static constexpr int kStages = std::min(8, kRingWords / kWords);
  static constexpr std::size_t kSharedBytes = bytes_of_words(kStages * kWords);
  static_assert(kStages >= 2);

  // What the warps add up in the end takes the ring's place. + 1: rows on different banks.
  using Partials = float[kWarps][kRows][kTokens + 1];
  static_assert(sizeof(Partials) <= kSharedBytes);
};

// Every eighth row of a matrix or of x, from a lane's first one on.
template <typename T>
struct LaneRows {
  const T* first;
  int step;  // elements from one to the next
  int left;  // rows from the first one to the end

  __device__ LaneRows(const void* data, std::int64_t stride, int rows, int row)
      : first(static_cast<const T*>(data) + row * stride),
        step(8 * static_cast<int>(stride)),
        left(rows - row) {}

  // Starts the copies of 8 columns of kCount rows; zeros where there is nothing to copy.
  template <int kCount>
  __device__ void start(uint4* to, int column, int cols) const {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      copy_16_async(to + i * kThreads, first + i * step + column, column < cols && 8 * i < left);
    }
  }
};

// The first of a lane's weight rows in one half of a tile.
template <typename T>
__device__ LaneRows<T> rows_of(const MatmulJob& job, const MatmulTile& tile, int half, int rows_in_half) {
  const bool gated = job.epilogue == Epilogue::gated;
  const WeightMatrix& weights = job.matrices[gated ? half : tile.matrix];
  const int row = tile.first + (gated ? 0 : half * rows_in_half) + lane_index() / 4;
  return {weights.data, weights.row_stride, weights.rows, row};
}

// A thread's words of a few stages of 32 columns: of each half of the weight rows, then of the tokens.
template <typename T, typename Shape>
class Ring {
 public:
  __device__ Ring(const MatmulJob& job, const MatmulTile& tile)
      : cols_(job.input.cols),
        halves_{rows_of<T>(job, tile, 0, Shape::kRows / 2), rows_of<T>(job, tile, 1, Shape::kRows / 2)},
        tokens_(job.input.x, job.input.x_stride, job.input.rows, lane_index() / 4),
        words_(dynamic_shared<uint4>() + threadIdx.x) {}

  // Stages follow each other until this warp has none left.
  __device__ bool has(int stage) const { return column_of(stage) < cols_; }

  __device__ void start_weights(int stage) const {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      halves_[half].template start<Shape::kRowTiles>(words(stage) + half * Shape::kRowTiles * kThreads,
                                                     lane_column(stage), cols_);
    }
  }
  __device__ void start_tokens(int stage) const {
    tokens_.template start<Shape::kTokenTiles>(words(stage) + Shape::kWeightWords * kThreads,
                                               lane_column(stage), cols_);
  }

  __device__ uint4 weights(int stage, int i) const {
    return words(stage)[i * kThreads];
  }
  __device__ void load_tokens(int stage, uint4 (&x)[Shape::kTokenTiles]) const {
    const uint4* from = words(stage) + Shape::kWeightWords * kThreads;
#pragma unroll
    for (int i = 0; i < Shape::kTokenTiles; ++i) x[i] = from[i * kThreads];
    if (column_of(stage) + kStep <= cols_) return;
      // Beyond its last column x may be anything, and zero times that not a number.
#pragma unroll
    for (uint4& words : x) words = keep_first(words, cols_ - lane_column(stage));
  }

 private:
  __device__ static int column_of(int stage) {
    return stage / 2 * kStride + warp_index() * kUnit + stage % 2 * kStep;
  }
  __device__ static int lane_column(int stage) {
    return column_of(stage) + lane_index() % 4 * 8;
  }
  __device__ uint4* words(int stage) const {
    return words_ + stage % Shape::kStages * Shape::kWords * kThreads;
  }

  int cols_;
  LaneRows<T> halves_[2];
  LaneRows<T> tokens_;
  uint4* words_;
};

template <int kRowTiles, int kTokenTiles>
struct WarpSums {
  float sums[kRowTiles][kTokenTiles][4] = {};

  template <typename T, typename Shape>
  __device__ void add(const Ring<T, Shape>& ring, int stage) {
    uint4 x[kTokenTiles];
    ring.load_tokens(stage, x);
#pragma unroll
    for (int i = 0; i < kRowTiles; ++i) {
      const uint4 low = ring.weights(stage, 2 * i);  // rows g and g + 8
      const uint4 high = ring.weights(stage, 2 * i + 1);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const unsigned a[4] = {first_word(low, half), first_word(high, half), second_word(low, half),
                               second_word(high, half)};
#pragma unroll
        for (int j = 0; j < kTokenTiles; ++j) {
          const unsigned b[2] = {first_word(x[j], half), second_word(x[j], half)};
          mma<T>(sums[i][j], a, b);
        }
      }
    }
  }

  template <typename Partials>
  __device__ void put(Partials& partials) const {
    const int g = lane_index() / 4;
    const int t = lane_index() % 4;
#pragma unroll
    for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
      for (int j = 0; j < kTokenTiles; ++j) {
#pragma unroll
        for (int part = 0; part < 4; ++part) {
          partials[warp_index()][16 * i + g + (part < 2 ? 0 : 8)][8 * j + 2 * t + part % 2] =
              sums[i][j][part];
        }
      }
    }
  }
};

template <typename T, typename Shape>
__device__ void store(const MatmulJob& job, const MatmulTile& tile,
                      const typename Shape::Partials& partials) {
  const auto total = [&](int row, int token) {
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < kWarps; ++warp) sum += partials[warp][row][token];
    return sum;
  };
  const bool gated = job.epilogue == Epilogue::gated;
  const int outputs = gated ? Shape::kRows / 2 : Shape::kRows;
  for (int i = static_cast<int>(threadIdx.x); i < outputs * Shape::kTokens; i += kThreads) {
    const int row = i % outputs;  // neighbouring threads store neighbouring outputs
    const int token = i / outputs;
    if (gated) {
      finish_gated<T>(job, token, tile.first + row, total(row, token), total(row + outputs, token));
    } else {
      finish(job, tile.matrix, token, tile.first + row, total(row, token));
    }
  }
}

template <typename T, int kRowTiles, int kTokenTiles>
__global__ void __launch_bounds__(kThreads, 2) small_matmul_kernel(const MatmulJob job) {
  using S = Shape<kRowTiles, kTokenTiles>;
  static_assert(kThreads == kGateThreads);
  let_successor_start();
  if (static_cast<int>(blockIdx.x) < job.gate_blocks) {
    wait_for_predecessor();
    return raw_gate_block_of<T>(job.gates, static_cast<int>(blockIdx.x));
  }
  const int outputs = job.epilogue == Epilogue::gated ? S::kRows / 2 : S::kRows;
  const MatmulTile tile = find_tile(job, static_cast<int>(blockIdx.x) - job.gate_blocks, outputs);
  const Ring<T, S> ring(job, tile);

#pragma unroll
  for (int stage = 0; stage < S::kStages; ++stage) ring.start_weights(stage);
  wait_for_predecessor();
#pragma unroll
  for (int stage = 0; stage < S::kStages; ++stage) {
    ring.start_tokens(stage);
    commit_copies();  // one group per stage; the first one has all the weights, too
  }

  WarpSums<kRowTiles, kTokenTiles> sums;
  for (int stage = 0; ring.has(stage); ++stage) {
    wait_for_copies<S::kStages - 1>();
    sums.add(ring, stage);
    if (ring.has(stage + S::kStages)) {  // in the place of what has just been read
      ring.start_weights(stage + S::kStages);
      ring.start_tokens(stage + S::kStages);
    }
    commit_copies();
  }

  auto& partials = *dynamic_shared<typename S::Partials>();
  wait_for_copies<0>();  // zeros, if a warp had fewer stages than its ring
  __syncthreads();       // nobody needs the ring any more
  sums.put(partials);
  __syncthreads();
  store<T, S>(job, tile, partials);
}

template <typename T, int kRowTiles, int kTokenTiles>
void launch_shape(const MatmulJob& job, StreamHandle stream) {
  const auto blocks = static_cast<unsigned>(job.tiles_until[2] + job.gate_blocks);
  launch(small_matmul_kernel<T, kRowTiles, kTokenTiles>,
         {blocks, kThreads, Shape<kRowTiles, kTokenTiles>::kSharedBytes, job.input.pdl}, stream, job);
}

template <typename T, int kTokenTiles>
void launch_tokens(MatmulJob& job, int matrix_count, StreamHandle stream) {
  const int outputs = job.epilogue == Epilogue::gated ? 8 : 16;  // of a row tile
  const auto tiles = [&](int row_tiles) { return count_tiles(job, matrix_count, row_tiles * outputs); };
  if (tiles(4) >= kEnoughBlocks) return launch_shape<T, 4, kTokenTiles>(job, stream);
  if (tiles(2) >= kEnoughBlocks) return launch_shape<T, 2, kTokenTiles>(job, stream);
  tiles(1);
  launch_shape<T, 1, kTokenTiles>(job, stream);
}

// Tokens that x does not have are zeros that nobody reads from memory.
template <typename T>
void launch_type(MatmulJob& job, int matrix_count, StreamHandle stream) {
  static_assert(kSmallRows == 32);
  if (job.input.rows <= 8) return launch_tokens<T, 1>(job, matrix_count, stream);
  if (job.input.rows <= 16) return launch_tokens<T, 2>(job, matrix_count, stream);
  launch_tokens<T, 4>(job, matrix_count, stream);
}

}  // namespace

void launch_small(MatmulJob job, int matrix_count, StreamHandle stream) {
  with_element(job.input.dtype,
               [&](auto element) { launch_type<decltype(element)>(job, matrix_count, stream); });
}

}  // namespace kernels::cuda
