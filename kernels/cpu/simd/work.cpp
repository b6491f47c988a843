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
// Rows of a piece of work for few tokens: as many as the dot kernels finish together.
constexpr std::int64_t kDotPieceRows = 16;
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
  Pieces pieces{};
  pieces.use_panels = tokens > kMaxDotTokens && w.rows >= kMinPanelRows;
  pieces.rows = w.rows;
  pieces.tokens = tokens;
  pieces.rows_each = pieces.use_panels ? kPanelPieceRows : kDotPieceRows;
  pieces.row_pieces = (w.rows + pieces.rows_each - 1) / pieces.rows_each;
  const std::int64_t token_pieces = pieces.use_panels ? (tokens + kBlockTokens - 1) / kBlockTokens : 1;
  pieces.count = tokens > 0 ? pieces.row_pieces * token_pieces : 0;
  return pieces;
}

RowRange rows_of(const Pieces& pieces, std::int64_t piece, std::int64_t count) {
  const std::int64_t begin = piece % pieces.row_pieces * pieces.rows_each;
  return {begin, std::min(begin + count * pieces.rows_each, pieces.rows)};
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

// Hands out the pieces of a region to its threads. Panels are taken one by one. Dot products are taken in
// long runs that get shorter towards the end: a run is one stream of memory, and starting a stream costs
// about a microsecond.
class Claims {
 public:
  Claims(const Part& part, std::int64_t total, bool long_runs)
      : part_(part), total_(total), long_runs_(long_runs) {}

  // The next run of pieces that nobody has taken, in order; false when there is none.
  bool take() {
    begin_ = end_;
    if (part_.next == nullptr) {
      end_ = total_;
    } else if (!long_runs_) {
      begin_ = part_.next->fetch_add(1, std::memory_order_relaxed);
      end_ = begin_ + 1;
    } else {
      begin_ = part_.next->load(std::memory_order_relaxed);
      while (begin_ < total_ && !part_.next->compare_exchange_weak(begin_, begin_ + run_length(begin_),
                                                                   std::memory_order_relaxed)) {
      }
      end_ = begin_ + run_length(begin_);
    }
    end_ = std::min(end_, total_);
    return begin_ < end_;
  }

  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return end_; }

 private:
  // Three quarters of the work in the first run of each thread, the rest in ever smaller parts.
  std::int64_t run_length(std::int64_t begin) const {
    const std::int64_t first = total_ * 3 / (4 * part_.count);
    const std::int64_t left = total_ - begin;
    const std::int64_t run = begin < first * part_.count ? first : left / (2 * part_.count);
    return std::max<std::int64_t>(1, run);
  }

  const Part& part_;
  std::int64_t total_;
  bool long_runs_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

void multiply_pieces(const Kernels& kernels, int streams, const MatmulArgs& args, const Pieces& pieces,
                     std::int64_t begin, std::int64_t end, Packer& packer) {
  if (!pieces.use_panels) return kernels.dot_rows(args, rows_of(pieces, begin, end - begin), streams);
  const PanelKernels& panels = panels_for(kernels, args.w.dtype);
  void* scratch = workspace().scratch.at_least(panels.scratch_bytes(args.w.cols));
  for (std::int64_t piece = begin; piece < end; ++piece) {
    const PackedTokens tokens = packer.pack(panels, args.x, args.x_stride, args.w.cols, pieces, piece);
    panels.multiply(args, tokens, rows_of(pieces, piece, 1), scratch);
  }
}

}  // namespace

void share_matmul(const Kernels& kernels, int streams, std::span<const MatmulArgs> matmuls,
                  const Part& part) {
  std::int64_t total = 0;
  bool any_panels = false;
  for (const MatmulArgs& args : matmuls) {
    const Pieces pieces = cut(args.w, args.m);
    total += pieces.count;
    any_panels = any_panels || pieces.use_panels;
  }
  Packer packer;
  for (Claims claims(part, total, !any_panels); claims.take();) {
    std::int64_t first = 0;  // number of the product's first piece
    for (const MatmulArgs& args : matmuls) {
      const Pieces pieces = cut(args.w, args.m);
      const std::int64_t begin = std::max(claims.begin() - first, std::int64_t{0});
      const std::int64_t end = std::min(claims.end() - first, pieces.count);
      if (begin < end) multiply_pieces(kernels, streams, args, pieces, begin, end, packer);
      first += pieces.count;
    }
  }
}

void share_gated_matmul(const Kernels& kernels, int streams, const GatedMatmulArgs& args, const Part& part) {
  const Pieces pieces = cut(args.gate, args.m);
  const PanelKernels& panels = panels_for(kernels, args.gate.dtype);
  Packer packer;
  for (Claims claims(part, pieces.count, !pieces.use_panels); claims.take();) {
    if (!pieces.use_panels) {
      kernels.gated_dot_rows(args, rows_of(pieces, claims.begin(), claims.end() - claims.begin()), streams);
      continue;
    }
    void* scratch = workspace().scratch.at_least(panels.scratch_bytes(args.gate.cols));
    for (std::int64_t piece = claims.begin(); piece < claims.end(); ++piece) {
      const PackedTokens tokens = packer.pack(panels, args.x, args.x_stride, args.gate.cols, pieces, piece);
      panels.multiply_gated(args, tokens, rows_of(pieces, piece, 1), scratch);
    }
  }
}

void attend_block_with_scratch(const Kernels& kernels, const AttendBlockArgs& args) {
  const BlockKernels& block = args.kv_dtype == DType::f32 ? kernels.attend_f32 : kernels.attend_bf16;
  block.attend(args, workspace().scratch.at_least(block.scratch_bytes(args.head_dim)));
}

}  // namespace kernels::simd
