// The angles of rotary position embedding on the device: room for every position, filled as far as needed.
#pragma once

#include <cstdint>

#include "engine/backend/cuda_timer.hpp"
#include "engine/backend/rope.hpp"
#include "kernels/cuda/runtime.hpp"

namespace engine {

class CudaRope {
 public:
  explicit CudaRope(const ModelConfig& config);
  // Makes the positions [0, count) available to what is launched afterwards.
  void reserve(std::int32_t count, const kernels::cuda::Stream& stream, CudaTimer& timer);
  const float* cos() const { return cos_.data(); }  // [max_positions, head_dim / 2]
  const float* sin() const { return sin_.data(); }

 private:
  std::int32_t max_positions_;
  std::size_t half_;  // head_dim / 2
  std::int32_t filled_ = 0;
  RopeTable table_;
  kernels::cuda::DeviceArray<float> cos_, sin_;
};

}  // namespace engine
