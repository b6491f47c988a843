#include "engine/backend/cuda_activations.hpp"

#include "kernels/cuda/cache_view.hpp"
#include "kernels/cuda/decode_attention.hpp"
#include "kernels/cuda/sampling.hpp"

namespace engine {

namespace {

constexpr std::int64_t kRowElements = 8;

std::int64_t round_up(std::int64_t elements) {
  return (elements + kRowElements - 1) / kRowElements * kRowElements;
}

std::size_t count_of(std::int64_t rows, std::int64_t width) {
  return static_cast<std::size_t>(rows * width);
}

std::size_t workspace_bytes(const ModelConfig& config, std::int32_t decode_rows, int splits) {
  return kernels::cuda::decode_workspace_bytes(decode_rows, config.query_heads, config.kv_heads,
                                               config.head_dim, splits);
}

}  // namespace

CudaStrides::CudaStrides(const ModelConfig& config)
    : hidden(round_up(config.hidden)),
      q(round_up(std::int64_t{config.query_heads} * config.head_dim)),
      kv(round_up(std::int64_t{config.kv_heads} * config.head_dim)),
      intermediate(round_up(config.intermediate)) {}

CudaActivations::CudaActivations(const ModelConfig& config, std::int32_t row_count,
                                 std::int32_t decode_row_count, std::int32_t head_row_count, int split_count,
                                 kernels::cuda::StreamHandle stream)
    : rows(row_count),
      decode_rows(decode_row_count),
      head_rows(head_row_count),
      splits(split_count),
      strides(config) {
  const auto count = static_cast<std::size_t>(rows);
  const std::int64_t padded = kernels::cuda::padded_head_dim(config.head_dim);
  const std::size_t cells = count_of(rows, std::int64_t{config.layers} * config.kv_heads);
  const std::int64_t kv_heads = config.kv_heads;
  inputs = CudaRowInputs<kernels::cuda::DeviceArray>(count);
  x = DeviceArray<float>(count_of(rows, strides.hidden));
  normed = DeviceArray<std::uint16_t>(count_of(rows, strides.hidden));
  q = DeviceArray<float>(count_of(rows, strides.q));
  k = DeviceArray<float>(count_of(rows, strides.kv));
  v = DeviceArray<float>(count_of(rows, strides.kv));
  gates = DeviceArray<float>(count_of(rows, kv_heads));
  attended = DeviceArray<float>(count_of(rows, strides.q));
  mlp = DeviceArray<float>(count_of(rows, strides.intermediate));
  q16 = DeviceArray<std::uint16_t>(count_of(rows, config.query_heads * padded));
  k16 = DeviceArray<std::uint16_t>(count_of(rows, kv_heads * padded));
  v16 = DeviceArray<std::uint16_t>(count_of(rows, kv_heads * padded));
  chunk_slots = DeviceArray<std::int32_t>(count_of(rows, kv_heads));
  decode_workspace = DeviceArray<std::byte>(workspace_bytes(config, decode_rows, splits));
  decisions = CudaDecisions<kernels::cuda::DeviceArray>(cells);
  wanted = DeviceArray<std::int32_t>(count);
  picked = DeviceArray<std::int32_t>(count);
  head_in = DeviceArray<float>(count_of(head_rows, strides.hidden));
  logits = DeviceArray<float>(count_of(head_rows, config.vocab));
  pick_workspace = DeviceArray<std::byte>(kernels::cuda::argmax_workspace_bytes(head_rows));

  host_inputs = CudaRowInputs<kernels::cuda::PinnedArray>(count);
  host_gates = PinnedArray<float>(count_of(rows, kv_heads));
  host_decisions = CudaDecisions<kernels::cuda::PinnedArray>(cells);
  host_wanted = PinnedArray<std::int32_t>(count);
  host_picked = PinnedArray<std::int32_t>(count);

  // Counters of blocks that have finished start at zero. What lies between a row's end and its stride is read
  // by nobody, but copied along.
  kernels::cuda::fill_bytes_async(decode_workspace.data(), 0, decode_workspace.bytes(), stream);
  kernels::cuda::fill_bytes_async(pick_workspace.data(), 0, pick_workspace.bytes(), stream);
}

std::int64_t CudaActivations::device_bytes(const ModelConfig& config, std::int32_t rows,
                                           std::int32_t decode_rows, std::int32_t head_rows, int splits) {
  const CudaStrides strides(config);
  const std::int64_t padded = kernels::cuda::padded_head_dim(config.head_dim);
  const std::int64_t kv_heads = config.kv_heads;
  const std::int64_t per_row = 20 + 6 * strides.hidden + 8 * strides.q + 8 * strides.kv + 8 * kv_heads +
                               4 * strides.intermediate + 2 * (config.query_heads + 2 * kv_heads) * padded +
                               9 * config.layers * kv_heads;
  const std::int64_t per_head_row = 4 * strides.hidden + std::int64_t{4} * config.vocab;
  return rows * per_row + head_rows * per_head_row +
         static_cast<std::int64_t>(kernels::cuda::argmax_workspace_bytes(head_rows)) +
         static_cast<std::int64_t>(workspace_bytes(config, decode_rows, splits));
}

}  // namespace engine
