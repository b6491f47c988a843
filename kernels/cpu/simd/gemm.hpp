// Matrix products of many tokens from panels (panel.hpp). Included after a vector_*.hpp.
#pragma once

#include "kernels/cpu/simd/dot.hpp"
#include "kernels/cpu/simd/exponential.hpp"
#include "kernels/cpu/simd/panel.hpp"

namespace kernels::simd {
namespace {

// What a Gemm class says about its tiles and panels, unless it says otherwise.
struct VectorTiles {
  static constexpr Index kRows = kTileRows;      // of a tile
  static constexpr Index kLanes = kWidth;        // a panel's width is a multiple of this
  static constexpr Index kPanel = kPanelTokens;  // tokens of a panel
  // Lives as long as a chunk is multiplied; nothing to set up.
  struct Session {};
};

template <class Gemm>
constexpr Index kTileFloats = Gemm::kRows* Gemm::kPanel;

// Activations stay float32; weights of any dtype are widened to float32, or used where they lie if they are.
template <DType kType>
struct FloatGemm : FloatProduct, VectorTiles {
  static Index words(Index cols) { return cols; }

  // Rows are the packed words of each token.
  static void pack_rows(const float* const* x, Index words, Index, Index width, float* panel) {
    transpose_into_panel(x, words, width, panel);
  }

  static void multiply(Session&, Index width, const Broadcast& rows, const float* panel, Index steps,
                       float* sums, bool resume) {
    multiply_tile<FloatProduct>(width / kWidth, rows, panel, steps, sums, resume);
  }

  static bool in_place(Index) { return kType == DType::f32; }

  static void convert_row(const char* from, Index cols, char* to) {
    auto* out = reinterpret_cast<float*>(to);
    Index c = 0;
    for (; c + kWidth <= cols; c += kWidth) store(out + c, load_weights<kType>(from + c * kBytes<kType>));
    if (c < cols)
      store_first(out + c, load_first_weights<kType>(from + c * kBytes<kType>, cols - c), cols - c);
  }
};

template <class Gemm>
std::size_t packed_bytes(Index tokens, Index cols) {
  return static_cast<std::size_t>(round_up(tokens, Gemm::kLanes) * Gemm::words(cols)) * sizeof(float);
}

template <class Gemm>
void pack(const float* x, Index x_stride, Index tokens, Index cols, void* packed) {
  auto* panel = static_cast<float*>(packed);
  const Index words = Gemm::words(cols);
  for (Index t = 0; t < tokens; t += Gemm::kPanel) {
    const Index count = at_most(Gemm::kPanel, tokens - t);
    const Index width = round_up(count, Gemm::kLanes);
    // Lanes without a token repeat the last one: their sums are not used.
    const float* rows[extent(Gemm::kPanel)];
    for (Index i = 0; i < width; ++i) rows[i] = x + (t + at_most(i, count - 1)) * x_stride;
    Gemm::pack_rows(rows, words, cols, width, panel);
    panel += words * width;
  }
}

template <class Gemm>
std::size_t scratch_bytes(Index cols) {
  const Index weights = kMaxChunkRows * Gemm::words(cols) * 4;
  const Index tiles = kMaxChunkRows * Gemm::kPanel * 4;
  return static_cast<std::size_t>(round_up(weights, 64) + 2 * tiles);
}

struct Scratch {
  char* weights;
  float* tiles;
  float* up_tiles;
};

template <class Gemm>
Scratch scratch_of(void* memory, Index cols) {
  auto* bytes = static_cast<char*>(memory);
  auto* tiles = reinterpret_cast<float*>(bytes + round_up(kMaxChunkRows * Gemm::words(cols) * 4, 64));
  return {bytes, tiles, tiles + kMaxChunkRows * Gemm::kPanel};
}

// The weights of some rows as words to broadcast, in whole tiles: in place where they lie so, else converted.
// Rows that complete the last tile repeat the last row's place in scratch; nobody uses their sums.
template <class Gemm>
Broadcast chunk_weights(const Matrix& w, RowRange rows, char* scratch) {
  const Index count = rows.end - rows.begin;
  const bool whole_tiles = count % Gemm::kRows == 0;
  if (whole_tiles && Gemm::in_place(w.cols)) return {row_of(w, rows.begin), row_bytes_of(w), 4};
  const Index row_bytes = Gemm::words(w.cols) * 4;
  for (Index r = 0; r < round_up(count, Gemm::kRows); ++r) {
    Gemm::convert_row(row_of(w, rows.begin + at_most(r, count - 1)), w.cols, scratch + r * row_bytes);
  }
  return {scratch, row_bytes, 4};
}

// The sums of all tiles of a chunk for one panel.
template <class Gemm>
void multiply_panel(typename Gemm::Session& session, const Broadcast& weights, Index tiles,
                    const float* panel, Index words, Index width, float* sums) {
  for (Index s = 0; s < words; s += kBlockSteps) {
    const Index steps = at_most(kBlockSteps, words - s);
    for (Index i = 0; i < tiles; ++i) {
      const char* data = weights.data + i * Gemm::kRows * weights.row_stride + s * weights.step_stride;
      Gemm::multiply(session, width, {data, weights.row_stride, weights.step_stride}, panel + s * width,
                     steps, sums + i * kTileFloats<Gemm>, s > 0);
    }
  }
}

struct OutputRows {
  float* base;
  Index stride;
  const float* bias;
  bool accumulate;
};

template <class Gemm>
void store_tiles(const float* sums, Index width, RowRange rows, Index token, Index tokens,
                 const OutputRows& out) {
  float* token_rows[extent(Gemm::kPanel)];
  for (Index i = 0; i < tokens; ++i) token_rows[i] = out.base + (token + i) * out.stride;
  for (Index n = rows.begin; n < rows.end; n += Gemm::kRows, sums += kTileFloats<Gemm>) {
    store_tile(sums, width,
               {token_rows, tokens, n, at_most(Gemm::kRows, rows.end - n), out.bias, out.accumulate});
  }
}

template <class Gemm>
void multiply(const MatmulArgs& args, const PackedTokens& tokens, RowRange rows, void* memory) {
  const Index words = Gemm::words(args.w.cols);
  const Scratch scratch = scratch_of<Gemm>(memory, args.w.cols);
  const Broadcast weights = chunk_weights<Gemm>(args.w, rows, scratch.weights);
  const Index tiles = round_up(rows.end - rows.begin, Gemm::kRows) / Gemm::kRows;
  const auto* panel = static_cast<const float*>(tokens.packed);
  [[maybe_unused]] typename Gemm::Session session;
  for (Index t = 0; t < tokens.count; t += Gemm::kPanel) {
    const Index count = at_most(Gemm::kPanel, tokens.count - t);
    const Index width = round_up(count, Gemm::kLanes);
    multiply_panel<Gemm>(session, weights, tiles, panel, words, width, scratch.tiles);
    store_tiles<Gemm>(scratch.tiles, width, rows, tokens.begin + t, count,
                      {args.out, args.out_stride, args.bias, args.accumulate});
    panel += words * width;
  }
}

// silu(gate + gate_bias) * (up + up_bias) into gate.
template <class Gemm>
void gate_tiles(float* gate, const float* up, Index width, RowRange rows, const GatedMatmulArgs& args) {
  for (Index n = rows.begin; n < rows.end; ++n) {
    const Index row = n - rows.begin;
    const Index at = row / Gemm::kRows * kTileFloats<Gemm> + row % Gemm::kRows * width;
    const F gate_bias = set1(args.gate_bias == nullptr ? 0.0f : args.gate_bias[n]);
    const F up_bias = set1(args.up_bias == nullptr ? 0.0f : args.up_bias[n]);
    for (Index i = at; i < at + width; i += kWidth) {
      store(gate + i, mul(silu(add(load(gate + i), gate_bias)), add(load(up + i), up_bias)));
    }
  }
}

// Half as many rows of each matrix as multiply() takes, so that both fit in scratch.
template <class Gemm>
void multiply_gated(const GatedMatmulArgs& args, const PackedTokens& tokens, RowRange rows, void* memory) {
  const Index words = Gemm::words(args.gate.cols);
  const Scratch scratch = scratch_of<Gemm>(memory, args.gate.cols);
  const Index tiles = round_up(rows.end - rows.begin, Gemm::kRows) / Gemm::kRows;
  const Broadcast gate = chunk_weights<Gemm>(args.gate, rows, scratch.weights);
  const Broadcast up = chunk_weights<Gemm>(args.up, rows, scratch.weights + tiles * Gemm::kRows * words * 4);
  const auto* panel = static_cast<const float*>(tokens.packed);
  [[maybe_unused]] typename Gemm::Session session;
  for (Index t = 0; t < tokens.count; t += Gemm::kPanel) {
    const Index count = at_most(Gemm::kPanel, tokens.count - t);
    const Index width = round_up(count, Gemm::kLanes);
    multiply_panel<Gemm>(session, gate, tiles, panel, words, width, scratch.tiles);
    multiply_panel<Gemm>(session, up, tiles, panel, words, width, scratch.up_tiles);
    gate_tiles<Gemm>(scratch.tiles, scratch.up_tiles, width, rows, args);
    store_tiles<Gemm>(scratch.tiles, width, rows, tokens.begin + t, count,
                      {args.out, args.out_stride, nullptr, false});
    panel += words * width;
  }
}

template <class Gemm>
constexpr PanelKernels panel_kernels() {
  return {packed_bytes<Gemm>, pack<Gemm>, scratch_bytes<Gemm>, multiply<Gemm>, multiply_gated<Gemm>};
}

}  // namespace
}  // namespace kernels::simd
