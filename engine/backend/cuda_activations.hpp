// The buffers that a pass works in, on the device and, page-locked, beside it.
//
// Made for a number of rows; a pass of fewer uses their beginnings. A recorded graph keeps their addresses,
// so buffers of another size are other buffers.
#pragma once

#include <cstdint>

#include "engine/checkpoint/config.hpp"
#include "kernels/cuda/runtime.hpp"
#include "kernels/tensor.hpp"

namespace engine {

// Row strides, in elements: rows begin at multiples of 16 bytes in either element type.
struct CudaStrides {
  explicit CudaStrides(const ModelConfig& config);
  std::int64_t hidden, q, kv, intermediate;
};

// What one step tells about its rows, [layers, kv_heads, rows].
template <template <typename> typename Array>
struct CudaDecisions {
  CudaDecisions() = default;
  explicit CudaDecisions(std::size_t cells) : logits(cells), live_at(cells), marked(cells) {}
  Array<float> logits;
  Array<std::int32_t> live_at;
  Array<std::uint8_t> marked;
};

// What a step is given about its rows, [rows] each; one block, so that one copy brings it.
template <template <typename> typename Array>
struct CudaRowInputs {
  CudaRowInputs() = default;
  explicit CudaRowInputs(std::size_t row_count) : rows(row_count), block(3 * row_count) {}
  std::int32_t* tokens() const { return block.data(); }
  std::int32_t* positions() const { return block.data() + rows; }
  std::int32_t* slots() const { return block.data() + 2 * rows; }  // of sequences; only decoding rows'

  std::size_t rows = 0;
  Array<std::int32_t> block;
};

struct CudaActivations {
  // `rows`: of the pass. `head_rows`: whose logits are computed at a time. `splits`: of decode attention.
  CudaActivations(const ModelConfig& config, std::int32_t rows, std::int32_t decode_rows,
                  std::int32_t head_rows, int splits, kernels::cuda::StreamHandle stream);

  static std::int64_t device_bytes(const ModelConfig& config, std::int32_t rows, std::int32_t decode_rows,
                                   std::int32_t head_rows, int splits);

  template <typename T>
  using DeviceArray = kernels::cuda::DeviceArray<T>;
  template <typename T>
  using PinnedArray = kernels::cuda::PinnedArray<T>;

  std::int32_t rows, decode_rows, head_rows;
  int splits;
  CudaStrides strides;

  // On the device, [rows, stride] of `strides`.
  CudaRowInputs<kernels::cuda::DeviceArray> inputs;
  DeviceArray<float> x;
  DeviceArray<std::uint16_t> normed;  // in the weights' type
  DeviceArray<float> q, k, v;
  DeviceArray<float> gates;                  // [kv_heads, rows] raw
  DeviceArray<float> attended, mlp;          // float32, or the weights' type in the first half
  DeviceArray<std::uint16_t> q16, k16, v16;  // of a chunk: finished, in the cache's type
  DeviceArray<std::int32_t> chunk_slots;     // [kv_heads, rows]
  DeviceArray<std::byte> decode_workspace;
  CudaDecisions<kernels::cuda::DeviceArray> decisions;
  DeviceArray<std::int32_t> wanted, picked;  // [rows] at most one logit row each
  DeviceArray<float> head_in;                // [head_rows, hidden]
  DeviceArray<float> logits;                 // [head_rows, vocab]
  DeviceArray<std::byte> pick_workspace;     // of head_rows

  // Page-locked.
  CudaRowInputs<kernels::cuda::PinnedArray> host_inputs;
  PinnedArray<std::int32_t> host_wanted;  // [rows]
  PinnedArray<float> host_gates;          // [kv_heads, rows]
  CudaDecisions<kernels::cuda::PinnedArray> host_decisions;
  PinnedArray<std::int32_t> host_picked;  // [rows]
};

}  // namespace engine
