#include "engine/backend/cuda_rope.hpp"

#include <algorithm>

namespace engine {

namespace {

constexpr std::int32_t kFewest = 1024;  // positions per upload, so that decoding seldom waits for one

}  // namespace

CudaRope::CudaRope(const ModelConfig& config)
    : max_positions_(config.max_positions),
      half_(static_cast<std::size_t>(config.head_dim) / 2),
      table_(config),
      cos_(static_cast<std::size_t>(config.max_positions) * half_),
      sin_(static_cast<std::size_t>(config.max_positions) * half_) {}

void CudaRope::reserve(std::int32_t count, const kernels::cuda::Stream& stream, CudaTimer& timer) {
  if (count <= filled_) return;
  const CudaTimer::Scope scope(timer, CudaOperation::transfer, -1, 0, true);
  const std::int64_t wanted = std::max<std::int64_t>(count, std::int64_t{filled_} + kFewest);
  const auto end = static_cast<std::int32_t>(std::min<std::int64_t>(wanted, max_positions_));
  table_.reserve(end);
  const std::size_t first = static_cast<std::size_t>(filled_) * half_;
  const std::size_t bytes = static_cast<std::size_t>(end - filled_) * half_ * sizeof(float);
  kernels::cuda::copy_async(cos_.data() + first, table_.cos(filled_), bytes, stream.get());
  kernels::cuda::copy_async(sin_.data() + first, table_.sin(filled_), bytes, stream.get());
  stream.synchronize();  // the table moves when it grows
  filled_ = end;
}

}  // namespace engine
