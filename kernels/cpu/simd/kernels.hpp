// What one instruction set provides: plain functions over plain structs, from which tables.cpp builds a
// CpuOps.
//
// A translation unit that is compiled for a newer instruction set must not define any function that others
// may define too: the linker keeps one copy of an inline function or template, and if it keeps the one made
// of AVX-512 instructions, every older processor crashes in it. Therefore everything in simd/ that such a
// unit includes has internal linkage, uses no standard containers, algorithms, spans or atomics, and work is
// shared among threads in work.cpp, which is compiled for the baseline. The test "instruction-set objects
// define no shared symbols" looks for lapses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ops.hpp"

namespace kernels::simd {

// Weight rows [begin, end) of a product.
struct RowRange {
  std::int64_t begin;
  std::int64_t end;
};

// Tokens [begin, begin + count) of a product, packed by PanelKernels::pack.
struct PackedTokens {
  std::int64_t begin;
  std::int64_t count;
  const void* packed;
};

// PanelKernels take at most this many rows at a time: their weights must stay in L2 beside a panel of tokens.
inline constexpr std::int64_t kMaxChunkRows = 64;

// Products of many tokens. Activations are packed into panels whose lanes are tokens; weight rows, as they
// lie or converted a chunk at a time, are broadcast against them. `packed` and `scratch` are aligned to 64
// bytes.
struct PanelKernels {
  std::size_t (*packed_bytes)(std::int64_t tokens, std::int64_t cols);
  void (*pack)(const float* x, std::int64_t x_stride, std::int64_t tokens, std::int64_t cols, void* packed);
  std::size_t (*scratch_bytes)(std::int64_t cols);
  void (*multiply)(const MatmulArgs& args, const PackedTokens& tokens, RowRange rows, void* scratch);
  void (*multiply_gated)(const GatedMatmulArgs& args, const PackedTokens& tokens, RowRange rows,
                         void* scratch);
};

// Prefill attention. `scratch` is aligned to 64 bytes.
struct BlockKernels {
  std::size_t (*scratch_bytes)(std::int64_t head_dim);
  void (*attend)(const AttendBlockArgs& args, void* scratch);
};

inline constexpr int kManyStreams = 4;

struct Kernels {
  // Few tokens: float32 dot products that read every weight once. For a single token `streams`, 1 or
  // kManyStreams, is how many rows are read side by side; it changes the speed only.
  void (*dot_rows)(const MatmulArgs& args, RowRange rows, int streams);
  void (*gated_dot_rows)(const GatedMatmulArgs& args, RowRange rows, int streams);
  PanelKernels panels_f32;  // by the dtype of the weights
  PanelKernels panels_f16;
  PanelKernels panels_bf16;
  void (*rmsnorm)(const RmsNormArgs& args);
  void (*attend_slots)(const AttendSlotsArgs& args);
  BlockKernels attend_f32;  // by the dtype of keys and values
  BlockKernels attend_bf16;
};

// Each is defined by the unit compiled for that instruction set; absent on other processor families.
extern const Kernels kPortableKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
// What later instruction sets do better than AVX-512; the rest is AVX-512's.
extern const PanelKernels kAvx512Bf16Panels;
extern const BlockKernels kAvx512Bf16Attend;
extern const PanelKernels kAmxPanels;

}  // namespace kernels::simd
