// Products of up to kExactRows tokens: memory-bound, so float32 arithmetic is free and nothing is rounded.
//
// A block owns kTile weight rows; its warps share the columns, 256 at a time, a lane taking 8 neighbours (16
// bytes) of each row. Activations come from the caches, where every block finds the same ones. RMSNorm needs
// no pass of its own: the norm's weight multiplies the activation, and its factor, one number per token, is
// applied to the sum.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/matmul.cuh"

namespace kernels::cuda {

namespace {

// A step's weights, 32 KiB per block, come into shared memory by asynchronous copies. No registers wait for
// them, so that four blocks (two from two tokens on) fit into a multiprocessor, and while one adds up its
// sums the others' weights are under way: more than a Hopper multiprocessor needs to hide its memory's
// latency (about 17 KiB). 2,048 rows make 256 blocks.
constexpr int kTile = 8;
constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;
constexpr int kStep = kThreads * 8;  // columns that a block takes at once
constexpr int kBatch = 2;            // rows that a thread reads before it asks for their next columns

// A thread's 8 columns of each of a tile's rows. It copies what it reads itself, and a copy begins after the
// reads before it: no barriers.
template <typename T>
class TileWords {
 public:
  __device__ TileWords(const MatmulJob& job, const MatmulTile& tile, uint4* shared)
      : words_(shared + threadIdx.x) {
    const bool gated = job.epilogue == Epilogue::gated;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const WeightMatrix& matrix = job.matrices[gated ? half : tile.matrix];
      const int row = tile.first + (gated ? 0 : half * kTile / 2);
      first_[half] = static_cast<const T*>(matrix.data) + row * matrix.row_stride;
      stride_[half] = static_cast<int>(matrix.row_stride);
      left_[half] = matrix.rows - row;
    }
  }

  // Starts the copies of kCount rows; zeros for rows that the matrix does not have.
  template <int kCount>
  __device__ void start(int first_row, int column) const {
#pragma unroll
    for (int i = first_row; i < first_row + kCount; ++i) {
      const int half = i / (kTile / 2);
      const int row = i % (kTile / 2);
      copy_16_async(words_ + i * kThreads, first_[half] + row * stride_[half] + column, row < left_[half]);
    }
  }

  __device__ uint4 operator[](int row) const {
    return words_[row * kThreads];
  }

 private:
  uint4* words_;
  const T* first_[2];
  int stride_[2];
  int left_[2];
};

template <int kRows>
struct Sums {
  float products[kRows][kTile] = {};
  float squares[kRows] = {};

  // The rows' 8 columns, multiplied by the norm's weights.
  __device__ void load(const MatmulInput& input, int column, float (&x)[kRows][8]) {
    float norm[8];
    if (input.norm_weight != nullptr) load_8(input.norm_weight, column, input.cols, norm);
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      load_8(static_cast<const float*>(input.x) + r * input.x_stride, column, input.cols, x[r]);
      if (input.norm_weight == nullptr) continue;
#pragma unroll
      for (int k = 0; k < 8; ++k) {
        squares[r] += x[r][k] * x[r][k];
        x[r][k] *= norm[k];
      }
    }
  }

  template <typename T>
  __device__ void add(int i, const uint4& words, const float (&x)[kRows][8]) {
    float w[8];
    unpack<T>(words, w);
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
#pragma unroll
      for (int k = 0; k < 8; ++k) products[r][i] += w[k] * x[r][k];
    }
  }
};

// Adds up kTile values over a warp's lanes, halving the values a lane holds where it can: 9 shuffles instead
// of 40. Lane 4 * i ends up with the sum of value i.
__device__ float reduce_tile(float (&values)[kTile]) {
  static_assert(kTile == 8);
  const int lane = lane_index();
#pragma unroll
  for (int half = kTile / 2, step = 16; half > 0; half /= 2, step /= 2) {
    const bool upper = (lane & step) != 0;
#pragma unroll
    for (int i = 0; i < half; ++i) {
      const float kept = upper ? values[half + i] : values[i];
      const float given = upper ? values[i] : values[half + i];
      values[i] = kept + __shfl_xor_sync(kAllLanes, given, step);
    }
  }
  values[0] += __shfl_xor_sync(kAllLanes, values[0], 2);
  return values[0] + __shfl_xor_sync(kAllLanes, values[0], 1);
}

template <int kRows>
struct Partials {
  float products[kWarps][kRows][kTile];
  float squares[kWarps][kRows];

  __device__ float product(int row, int i) const {
    float sum = 0;
    for (int warp = 0; warp < kWarps; ++warp) sum += products[warp][row][i];
    return sum;
  }
  __device__ float norm_factor(const MatmulInput& input, int row) const {
    if (input.norm_weight == nullptr) return 1.0f;
    float sum = 0;
    for (int warp = 0; warp < kWarps; ++warp) sum += squares[warp][row];
    return 1.0f / sqrtf(sum / static_cast<float>(input.cols) + input.eps);
  }
};

template <typename T, int kRows>
__global__ void __launch_bounds__(kThreads, kRows == 1 ? 4 : 2) exact_matmul_kernel(const MatmulJob job) {
  __shared__ uint4 shared_words[kTile * kThreads];
  __shared__ Partials<kRows> partials;
  static_assert(kThreads == kGateThreads);
  let_successor_start();
  if (static_cast<int>(blockIdx.x) < job.gate_blocks) {
    wait_for_predecessor();
    return raw_gate_block_of<T>(job.gates, static_cast<int>(blockIdx.x));
  }
  const bool gated = job.epilogue == Epilogue::gated;
  const MatmulTile tile =
      find_tile(job, static_cast<int>(blockIdx.x) - job.gate_blocks, gated ? kTile / 2 : kTile);
  const TileWords<T> weights(job, tile, shared_words);

  int column = static_cast<int>(threadIdx.x) * 8;
  const int cols = job.input.cols;
  if (column < cols) weights.template start<kTile>(0, column);
  commit_copies();
  wait_for_predecessor();

  Sums<kRows> sums;
  for (; column < cols; column += kStep) {
    float x[kRows][8];
    sums.load(job.input, column, x);
    wait_for_copies<0>();
#pragma unroll
    for (int batch = 0; batch < kTile; batch += kBatch) {
      uint4 words[kBatch];
#pragma unroll
      for (int i = 0; i < kBatch; ++i) words[i] = weights[batch + i];
#pragma unroll
      for (int i = 0; i < kBatch; ++i) sums.template add<T>(batch + i, words[i], x);
      if (column + kStep < cols) weights.template start<kBatch>(batch, column + kStep);
    }
    commit_copies();
  }

  const int warp = warp_index();
  const int lane = lane_index();
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    const float product = reduce_tile(sums.products[r]);
    const float squares = warp_sum(sums.squares[r]);
    if (lane % 4 == 0) partials.products[warp][r][lane / 4] = product;
    if (lane == 0) partials.squares[warp][r] = squares;
  }
  __syncthreads();

  const int row = static_cast<int>(threadIdx.x) / kTile;
  const int i = static_cast<int>(threadIdx.x) % kTile;
  if (row >= kRows) return;
  const float factor = partials.norm_factor(job.input, row);
  const float product = factor * partials.product(row, i);
  if (!gated) {
    finish(job, tile.matrix, row, tile.first + i, product);
  } else if (i < kTile / 2) {
    finish_gated<float>(job, row, tile.first + i, product, factor * partials.product(row, i + kTile / 2));
  }
}

template <typename T, int kRows>
void launch_rows(const MatmulJob& job, unsigned tiles, StreamHandle stream) {
  launch(exact_matmul_kernel<T, kRows>,
         {tiles + static_cast<unsigned>(job.gate_blocks), kThreads, 0, job.input.pdl}, stream, job);
}

template <typename T>
void launch_type(const MatmulJob& job, unsigned tiles, StreamHandle stream) {
  static_assert(kExactRows == 4);
  switch (job.input.rows) {
    case 1:
      return launch_rows<T, 1>(job, tiles, stream);
    case 2:
      return launch_rows<T, 2>(job, tiles, stream);
    case 3:
      return launch_rows<T, 3>(job, tiles, stream);
    default:
      return launch_rows<T, 4>(job, tiles, stream);
  }
}

}  // namespace

void launch_exact(MatmulJob job, int matrix_count, StreamHandle stream) {
  const unsigned tiles = count_tiles(job, matrix_count, job.epilogue == Epilogue::gated ? kTile / 2 : kTile);
  with_element(job.input.dtype, [&](auto element) { launch_type<decltype(element)>(job, tiles, stream); });
}

}  // namespace kernels::cuda
