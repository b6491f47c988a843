// What the matmul kernels share: which weight rows a block's tile holds, and what becomes of a sum.
#pragma once

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/gates.cuh"
#include "kernels/cuda/matmul.hpp"

namespace kernels::cuda {

enum class Epilogue : std::uint8_t { store, accumulate, gated };

// A launch of any of the kernels. Gated products have two matrices, gate and up, whose rows share a tile: the
// first half of a tile's rows are gate's, the second half the same rows of up.
struct MatmulJob {
  MatmulInput input;
  WeightMatrix matrices[3];
  int tiles_until[3] = {};  // tiles of the matrices up to and including this one
  Epilogue epilogue = Epilogue::store;
  void* gated_out = nullptr;
  std::int64_t gated_stride = 0;
  RawGateArgs gates;  // of the launch's first blocks
  int gate_blocks = 0;
};

// Part of one matrix (of both, if gated): outputs first .. first + tile outputs.
struct MatmulTile {
  int matrix;
  int first;
};

__device__ inline MatmulTile find_tile(const MatmulJob& job, int tile, int outputs_per_tile) {
  int matrix = 0;
  while (tile >= job.tiles_until[matrix]) ++matrix;
  const int before = matrix > 0 ? job.tiles_until[matrix - 1] : 0;
  return {matrix, (tile - before) * outputs_per_tile};
}

// The first `valid` of 8 elements of 16 bits, zeros for the others.
__device__ inline uint4 keep_first(uint4 words, int valid) {
  const auto keep = [valid](int word) {
    return valid >= 2 * word + 2 ? 0xffffffffu : valid == 2 * word + 1 ? 0xffffu : 0u;
  };
  words.x &= keep(0);
  words.y &= keep(1);
  words.z &= keep(2);
  words.w &= keep(3);
  return words;
}

// 8 elements of a row from `column`, zeros from `cols` on. Rows are padded to whole words.
template <typename T>
__device__ inline uint4 load_8(const T* row, int column, int cols) {
  if (column >= cols) return make_uint4(0, 0, 0, 0);
  const uint4 words = *reinterpret_cast<const uint4*>(row + column);
  return cols - column >= 8 ? words : keep_first(words, cols - column);
}

__device__ inline void load_8(const float* row, int column, int cols, float (&values)[8]) {
  if (column + 8 <= cols) {
    const float4 low = *reinterpret_cast<const float4*>(row + column);
    const float4 high = *reinterpret_cast<const float4*>(row + column + 4);
    values[0] = low.x, values[1] = low.y, values[2] = low.z, values[3] = low.w;
    values[4] = high.x, values[5] = high.y, values[6] = high.z, values[7] = high.w;
    return;
  }
#pragma unroll
  for (int i = 0; i < 8; ++i) values[i] = column + i < cols ? row[column + i] : 0.0f;
}

__device__ inline float bias_of(const WeightMatrix& matrix, int output) {
  return matrix.bias != nullptr ? matrix.bias[output] : 0.0f;
}

// Stores the product of row `row` of x and output `output` of a matrix; not gated.
__device__ inline void finish(const MatmulJob& job, int matrix, int row, int output, float sum) {
  const WeightMatrix& weights = job.matrices[matrix];
  if (row >= job.input.rows || output >= weights.rows) return;
  float* to = weights.out + row * weights.out_stride + output;
  const float value = sum + bias_of(weights, output);
  *to = job.epilogue == Epilogue::accumulate ? *to + value : value;
}

template <typename Out>
__device__ inline void finish_gated(const MatmulJob& job, int row, int output, float gate, float up) {
  if (row >= job.input.rows || output >= job.matrices[0].rows) return;
  const float a = gate + bias_of(job.matrices[0], output);
  const float b = up + bias_of(job.matrices[1], output);
  static_cast<Out*>(job.gated_out)[row * job.gated_stride + output] =
      from_float<Out>(a / (1.0f + expf(-a)) * b);
}

// The launches, each for its range of rows. `outputs_per_tile` of a kernel counts gate and up as one.
void launch_exact(MatmulJob job, int matrix_count, StreamHandle stream);
void launch_small(MatmulJob job, int matrix_count, StreamHandle stream);
void launch_tiled(MatmulJob job, int matrix_count, StreamHandle stream);

// Fills tiles_until; the number of tiles.
inline unsigned count_tiles(MatmulJob& job, int matrix_count, int outputs_per_tile) {
  int tiles = 0;
  for (int i = 0; i < 3; ++i) {
    const bool has_tiles = i < matrix_count && !(job.epilogue == Epilogue::gated && i > 0);
    if (has_tiles) tiles += (job.matrices[i].rows + outputs_per_tile - 1) / outputs_per_tile;
    job.tiles_until[i] = tiles;
  }
  return static_cast<unsigned>(tiles);
}

}  // namespace kernels::cuda
