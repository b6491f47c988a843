#include "engine/bench/gpu_ceiling.hpp"

#include <algorithm>

#include "engine/backend/cuda_errors.hpp"
#include "kernels/cuda/memory_rate.hpp"
#include "kernels/cuda/runtime.hpp"

namespace engine {

namespace {

using kernels::cuda::DeviceBuffer;
using kernels::cuda::Event;
using kernels::cuda::Stream;

constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;  // far beyond any GPU's caches
constexpr int kPasses = 20;

// Bytes per second of the fastest pass; the first ones bring the clocks up.
template <typename Launch>
double best_rate(const Stream& stream, std::int64_t bytes, const Launch& launch) {
  Event start(Event::Timing::on);
  Event end(Event::Timing::on);
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    start.record(stream);
    launch();
    end.record(stream);
    end.synchronize();
    const double seconds = end.milliseconds_since(start) * 1e-3;
    if (seconds > 0) best = std::max(best, static_cast<double>(bytes) / seconds);
  }
  return best;
}

GpuCeiling measure() {
  const std::int64_t quarter = kernels::cuda::memory_info().free_bytes / 4;
  const std::int64_t bytes = std::min(kMostBytes, quarter) / 256 * 256;
  const DeviceBuffer from(static_cast<std::size_t>(bytes));
  const DeviceBuffer to(static_cast<std::size_t>(bytes));
  const DeviceBuffer sink(sizeof(float));
  const Stream stream;
  kernels::cuda::fill_bytes_async(from.data(), 1, from.bytes(), stream.get());
  GpuCeiling ceiling;
  ceiling.copy_bytes_per_second = best_rate(
      stream, 2 * bytes, [&] { kernels::cuda::launch_copy(to.data(), from.data(), bytes, stream.get()); });
  ceiling.read_bytes_per_second = best_rate(stream, bytes, [&] {
    kernels::cuda::launch_read(from.data(), bytes, reinterpret_cast<float*>(sink.data()), stream.get());
  });
  return ceiling;
}

}  // namespace

Result<GpuCeiling> measure_gpu_ceiling(int gpu) {
  try {
    kernels::cuda::select_device(gpu);
    return measure();
  } catch (const kernels::cuda::CudaError& error) {
    return cuda_error(error.code(), error.what(), "the measurement of the memory's speed");
  }
}

}  // namespace engine
