#include "engine/bench/gpu_ceiling.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "engine/backend/cuda_errors.hpp"
#include "kernels/cuda/memory_rate.hpp"
#include "kernels/cuda/runtime.hpp"

namespace engine {

namespace {

using kernels::cuda::DeviceBuffer;
using kernels::cuda::Event;
using kernels::cuda::Stream;

constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;  // far beyond any GPU's caches
constexpr int kMemoryAllocation = 2;                        // cudaErrorMemoryAllocation
constexpr int kPasses = 20;
constexpr int kFewestPasses = 3;
constexpr double kShortSeconds = 0.04;  // of passes, where a run waits for the result

// How long to go on: so many passes, or until they have taken so long.
struct Effort {
  int passes = kPasses;
  double seconds = 1e9;
};

// Bytes per second of the fastest pass; the first ones bring the clocks up.
template <typename Launch>
double best_rate(const Stream& stream, std::int64_t bytes, const Effort& effort, const Launch& launch) {
  Event start(Event::Timing::on);
  Event end(Event::Timing::on);
  double best = 0;
  double spent = 0;
  for (int pass = 0; pass < effort.passes && (pass < kFewestPasses || spent < effort.seconds); ++pass) {
    start.record(stream);
    launch();
    end.record(stream);
    end.synchronize();
    const double seconds = end.milliseconds_since(start) * 1e-3;
    spent += seconds;
    if (seconds > 0) best = std::max(best, static_cast<double>(bytes) / seconds);
  }
  return best;
}

// Two buffers far larger than the caches, or what a quarter of the free memory allows.
class Memory {
 public:
  explicit Memory(int gpu) : from_(size(gpu)), to_(from_.bytes()) {
    kernels::cuda::fill_bytes_async(from_.data(), 1, from_.bytes(), stream_.get());
  }

  double copy_rate(const Effort& effort) const {
    const auto bytes = static_cast<std::int64_t>(from_.bytes());
    return best_rate(stream_, 2 * bytes, effort,
                     [&] { kernels::cuda::launch_copy(to_.data(), from_.data(), bytes, stream_.get()); });
  }

  double read_rate(const Effort& effort) const {
    const DeviceBuffer sink(sizeof(float));
    const auto bytes = static_cast<std::int64_t>(from_.bytes());
    return best_rate(stream_, bytes, effort, [&] {
      kernels::cuda::launch_read(from_.data(), bytes, reinterpret_cast<float*>(sink.data()), stream_.get());
    });
  }

 private:
  // Far beyond the L2 cache, or it is that which is measured.
  static std::size_t size(int gpu) {
    const std::int64_t quarter = kernels::cuda::memory_info().free_bytes / 4;
    if (quarter < 4 * kernels::cuda::device_info(gpu).l2_bytes) {
      throw kernels::cuda::CudaError(kMemoryAllocation, "take two buffers of four times the GPU's L2 cache");
    }
    return static_cast<std::size_t>(std::min(kMostBytes, quarter) / 256 * 256);
  }

  Stream stream_;
  DeviceBuffer from_;
  DeviceBuffer to_;
};

// Runs `measure` on the GPU; its failures as errors for people.
template <typename Measure>
auto on_gpu(int gpu, const Measure& measure) -> Result<decltype(measure())> {
  try {
    kernels::cuda::select_device(gpu);
    return measure();
  } catch (const kernels::cuda::CudaError& error) {
    return cuda_error(error.code(), error.what(), "the measurement of the memory's speed");
  }
}

}  // namespace

Result<GpuCeiling> measure_gpu_ceiling(int gpu) {
  return on_gpu(gpu, [&] {
    const Memory memory(gpu);
    return GpuCeiling{memory.copy_rate({}), memory.read_rate({})};
  });
}

Result<double> gpu_copy_bytes_per_second(int gpu) {
  static std::mutex mutex;
  static std::map<int, double> known;
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(gpu); found != known.end()) return found->second;
  constexpr Effort kShort{.passes = 1000, .seconds = kShortSeconds};
  auto rate = on_gpu(gpu, [&] { return Memory(gpu).copy_rate(kShort); });
  if (rate) known[gpu] = *rate;
  return rate;
}

}  // namespace engine
