#include "kernels/cpu/simd/work.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

namespace kernels::simd {
namespace {

// Up to this many tokens reading the weights costs more than the arithmetic, so float32 dot products lose
// nothing.
constexpr std::int64_t kMaxDotTokens = 8;
// Matrices of fewer rows do not fill a register tile. They are gates, a few rows whose precision matters.
constexpr std::int64_t kMinPanelRows = 8;
// Tokens that are packed at once, so that packed activations stay a few megabytes whatever the batch.
constexpr std::int64_t kBlockTokens = 512;
// Weights of one piece of work for few tokens: long enough for the prefetchers, short enough to share evenly.
constexpr std::int64_t kDotPieceBytes = 32 * 1024;
constexpr std::int64_t kPanelPieceRows = 32;
static_assert(2 * kPanelPieceRows <= kMaxChunkRows, "a gated product takes this many rows of two matrices");

class AlignedBuffer {
 public:
  void* at_least(std::size_t bytes) {
    if (bytes > bytes_) {
      memory_.reset();
      bytes_ = 0;
      memory_.reset(std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment));
      if (memory_ == nullptr) throw std::bad_alloc();
      bytes_ = bytes;
    }
    return memory_.get();
  }

 private:
  static constexpr std::size_t kAlignment = 64;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  std::size_t bytes_ = 0;
};

// Memory of this thread that outlives a call, because a region of microseconds cannot afford to allocate.
struct Workspace {
  AlignedBuffer packed;
  AlignedBuffer scratch;
};

Workspace& workspace() {
  thread_local Workspace memory;
  return memory;
}

const PanelKernels& panels_for(const Kernels& kernels, DType dtype) {
  if (dtype == DType::f32) return kernels.panels_f32;
  return dtype == DType::f16 ? kernels.panels_f16 : kernels.panels_bf16;
}

// The pieces into which one product is cut.
struct Pieces {
  bool use_panels;
  std::int64_t rows_each;
  std::int64_t rows;
  std::int64_t row_pieces;
  std::int64_t tokens;
  std::int64_t count;
};

Pieces cut(const Matrix& w, std::int64_t tokens) {
  constexpr std::int64_t kDotRows = 16;  // that the dot kernels finish together
  Pieces pieces{};
  pieces.use_panels = tokens > kMaxDotTokens && w.rows >= kMinPanelRows;
  pieces.rows = w.rows;
  pieces.tokens = tokens;
  pieces.rows_each = kPanelPieceRows;
  std::int64_t token_pieces = (tokens + kBlockTokens - 1) / kBlockTokens;
  if (!pieces.use_panels) {
    const std::int64_t row_bytes =
        std::max<std::int64_t>(1, w.cols * static_cast<std::int64_t>(size_of(w.dtype)));
    pieces.rows_each = std::max(kDotRows, kDotPieceBytes / row_bytes / kDotRows * kDotRows);
    token_pieces = 1;
  }
  pieces.row_pieces = (w.rows + pieces.rows_each - 1) / pieces.rows_each;
  pieces.count = tokens > 0 ? pieces.row_pieces * token_pieces : 0;
  return pieces;
}

RowRange rows_of(const Pieces& pieces, std::int64_t piece) {
  const std::int64_t begin = piece % pieces.row_pieces * pieces.rows_each;
  return {begin, std::min(begin + pieces.rows_each, pieces.rows)};
}

// Packs blocks of activations, and keeps the last one: neighbouring pieces and products share it.
class Packer {
 public:
  PackedTokens pack(const PanelKernels& kernels, const float* x, std::int64_t x_stride, std::int64_t cols,
                    const Pieces& pieces, std::int64_t piece) {
    const std::int64_t begin = piece / pieces.row_pieces * kBlockTokens;
    const std::int64_t count = std::min(kBlockTokens, pieces.tokens - begin);
    const float* from = x + begin * x_stride;
    void* packed = workspace().packed.at_least(kernels.packed_bytes(count, cols));
    if (from != from_ || kernels.pack != pack_ || count != count_ || cols != cols_ || x_stride != x_stride_) {
      kernels.pack(from, x_stride, count, cols, packed);
      from_ = from;
      pack_ = kernels.pack;
      count_ = count;
      cols_ = cols;
      x_stride_ = x_stride;
    }
    return {begin, count, packed};
  }

 private:
  const float* from_ = nullptr;
  decltype(PanelKernels::pack) pack_ = nullptr;
  std::int64_t count_ = 0;
  std::int64_t cols_ = 0;
  std::int64_t x_stride_ = 0;
};

// The next piece of the region that nobody has taken.
std::int64_t take(const Part& part, std::int64_t previous) {
  return part.next == nullptr ? previous + 1 : part.next->fetch_add(1, std::memory_order_relaxed);
}

void multiply_piece(const Kernels& kernels, const MatmulArgs& args, const Pieces& pieces, std::int64_t piece,
                    Packer& packer) {
  const RowRange rows = rows_of(pieces, piece);
  if (!pieces.use_panels) return kernels.dot_rows(args, rows);
  const PanelKernels& panels = panels_for(kernels, args.w.dtype);
  const PackedTokens tokens = packer.pack(panels, args.x, args.x_stride, args.w.cols, pieces, piece);
  panels.multiply(args, tokens, rows, workspace().scratch.at_least(panels.scratch_bytes(args.w.cols)));
}

}  // namespace

void share_matmul(const Kernels& kernels, std::span<const MatmulArgs> matmuls, const Part& part) {
  Packer packer;
  std::int64_t piece = take(part, -1);
  std::int64_t first = 0;  // number of the product's first piece
  for (const MatmulArgs& args : matmuls) {
    const Pieces pieces = cut(args.w, args.m);
    for (; piece < first + pieces.count; piece = take(part, piece)) {
      multiply_piece(kernels, args, pieces, piece - first, packer);
    }
    first += pieces.count;
  }
}

void share_gated_matmul(const Kernels& kernels, const GatedMatmulArgs& args, const Part& part) {
  const Pieces pieces = cut(args.gate, args.m);
  const PanelKernels& panels = panels_for(kernels, args.gate.dtype);
  Packer packer;
  for (std::int64_t piece = take(part, -1); piece < pieces.count; piece = take(part, piece)) {
    const RowRange rows = rows_of(pieces, piece);
    if (!pieces.use_panels) {
      kernels.gated_dot_rows(args, rows);
      continue;
    }
    const PackedTokens tokens = packer.pack(panels, args.x, args.x_stride, args.gate.cols, pieces, piece);
    panels.multiply_gated(args, tokens, rows,
                          workspace().scratch.at_least(panels.scratch_bytes(args.gate.cols)));
  }
}

void attend_block_with_scratch(const Kernels& kernels, const AttendBlockArgs& args) {
  kernels.attend_block(args, workspace().scratch.at_least(kernels.attend_block_scratch(args)));
}

}  // namespace kernels::simd
