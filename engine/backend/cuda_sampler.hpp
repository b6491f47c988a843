// Draws tokens from logits on the device. Its buffers are made by reserve(), before the first step that
// draws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/backend/backend.hpp"
#include "kernels/cuda/runtime.hpp"

namespace engine {

class CudaSampler {
 public:
  // Makes room for as many rows at a time. Throws kernels::cuda::CudaError, which changes nothing.
  void reserve(std::size_t rows, std::int32_t vocab, const kernels::cuda::Stream& stream);

  // One choice per row of `logits`, [choices, vocab]; one without temperature takes the likeliest. No
  // more of them than reserve() was asked for. Returns when the choices may be forgotten. Throws
  // kernels::cuda::CudaError.
  void launch(std::span<const TokenChoice> choices, const float* logits, std::int32_t vocab,
              std::int32_t* tokens, const kernels::cuda::Stream& stream);

  // The stream has been waited for since the last launch.
  void settle() { sending_ = false; }

 private:
  // On the device and, page-locked, beside it: [rows].
  template <template <typename> typename Array>
  struct Choices {
    Choices() = default;
    explicit Choices(std::size_t rows) : top_p(rows), random(rows), temperature(rows), top_k(rows) {}
    Array<double> top_p;
    Array<std::uint64_t> random;
    Array<float> temperature;
    Array<std::int32_t> top_k;
  };
  std::size_t rows_ = 0;
  bool sending_ = false;  // the page-locked buffers may still be read
  Choices<kernels::cuda::DeviceArray> device_;
  Choices<kernels::cuda::PinnedArray> host_;
  kernels::cuda::DeviceArray<float> weights_;
  kernels::cuda::DeviceArray<std::byte> workspace_;
};

}  // namespace engine
