// The emulation is what shows that kernels are right where there is no GPU: it must notice what is wrong.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/runtime.hpp"
#include "tests/cuda_emulation/control.hpp"

namespace kernels::cuda::test {
namespace {

// A device as new for every test, and afterwards for the others.
struct FreshDevice {
  Stream stream;
  FreshDevice() { cuda_emulation::recover(); }
  ~FreshDevice() { cuda_emulation::recover(); }

  template <typename... Arguments>
  void run(void (*kernel)(Arguments...), LaunchShape shape, std::type_identity_t<Arguments>... arguments) {
    launch(kernel, shape, stream.get(), arguments...);
    stream.synchronize();
  }
  // Runs and returns what was wrong.
  template <typename... Arguments>
  std::string fault_of(void (*kernel)(Arguments...), LaunchShape shape,
                       std::type_identity_t<Arguments>... arguments) {
    try {
      run(kernel, shape, arguments...);
    } catch (const CudaError& error) {
      REQUIRE(error.sticky());
    }
    return cuda_emulation::last_fault();
  }
};

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

void reverse_kernel(int* values) {
  __shared__ int held[64];
  held[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  values[threadIdx.x] = held[63 - threadIdx.x];
}

void unguarded_kernel(int* values) {
  __shared__ int held[64];
  held[threadIdx.x] = values[threadIdx.x];
  values[threadIdx.x] = held[63 - threadIdx.x];
}

TEST_CASE("a barrier separates what threads write and read, and its absence shows", "[emulation]") {
  FreshDevice device;
  std::vector<int> values(64), want(64);
  for (int i = 0; i < 64; ++i)
    values[static_cast<std::size_t>(i)] = i, want[static_cast<std::size_t>(i)] = 63 - i;
  const DeviceArray<int> array(64);
  const auto result_of = [&](void (*kernel)(int*)) {
    std::vector<int> result(64);
    copy_async(array.data(), values.data(), 256, device.stream.get());
    device.run(kernel, {1, 64}, array.data());
    copy_async(result.data(), array.data(), 256, device.stream.get());
    device.stream.synchronize();
    return result;
  };
  REQUIRE(result_of(reverse_kernel) == want);
  REQUIRE(result_of(unguarded_kernel) != want);
}

void collect_kernel(int* order, int* count) {
  if (threadIdx.x == 0) order[atomicAdd(count, 1)] = static_cast<int>(blockIdx.x);
}

TEST_CASE("blocks run in an order that differs from launch to launch", "[emulation]") {
  FreshDevice device;
  const DeviceArray<int> order(100), count(1);
  std::vector<std::vector<int>> orders(2, std::vector<int>(100));
  for (auto& seen : orders) {
    fill_bytes_async(count.data(), 0, 4, device.stream.get());
    device.run(collect_kernel, {100, 32}, order.data(), count.data());
    copy_async(seen.data(), order.data(), 400, device.stream.get());
    device.stream.synchronize();
  }
  REQUIRE(orders[0] != orders[1]);
  std::sort(orders[0].begin(), orders[0].end());
  for (int i = 0; i < 100; ++i) REQUIRE(orders[0][static_cast<std::size_t>(i)] == i);
}

void divergent_kernel() {
  if (threadIdx.x < 16) {
    __syncwarp();
  } else {
    __ballot_sync(kAllLanes, 1);
  }
}
void partial_mask_kernel() {
  __syncwarp(0xffffu);
}
void hanging_kernel() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else if (threadIdx.x < 48) {
    __syncwarp();
  } else {
    __syncthreads();
  }
}
void leaving_kernel() {
  if (threadIdx.x != 3) __syncwarp();
}
void overflow_kernel(int* values) {
  values[64 + threadIdx.x / 32] = 1;
}

TEST_CASE("what is undefined on a device is a fault", "[emulation]") {
  FreshDevice device;
  SECTION("lanes at different operations") {
    REQUIRE(contains(device.fault_of(divergent_kernel, {1, 32}), "different operations"));
  }
  SECTION("an operation of some lanes") {
    REQUIRE(contains(device.fault_of(partial_mask_kernel, {1, 32}), "some lanes"));
  }
  SECTION("threads that wait for each other at different places") {
    REQUIRE(contains(device.fault_of(hanging_kernel, {1, 64}), "hangs"));
  }
  SECTION("a lane that ends while its warp waits") {
    REQUIRE_FALSE(device.fault_of(leaving_kernel, {1, 32}).empty());
  }
  SECTION("a write beyond an allocation") {
    const DeviceArray<int> array(64);
    REQUIRE(contains(device.fault_of(overflow_kernel, {1, 32}, array.data()), "outside of an allocation"));
  }
  SECTION("half a warp") {
    REQUIRE(contains(device.fault_of(reverse_kernel, {1, 48}, nullptr), "whole warps"));
  }
}

TEST_CASE("a lost device answers nothing but its error until it is a new one", "[emulation]") {
  FreshDevice device;
  const DeviceArray<int> array(64);
  fill_bytes_async(array.data(), 0, 256, device.stream.get());
  cuda_emulation::control().launches_until_failure = 1;
  REQUIRE_NOTHROW(device.run(reverse_kernel, {1, 64}, array.data()));
  REQUIRE_THROWS_AS(device.run(reverse_kernel, {1, 64}, array.data()), CudaError);
  REQUIRE_THROWS_AS(DeviceBuffer(16), CudaError);
  cuda_emulation::recover();
  REQUIRE_NOTHROW(device.run(reverse_kernel, {1, 64}, array.data()));
}

TEST_CASE("work in a stream runs when somebody waits for it", "[emulation]") {
  FreshDevice device;
  const DeviceArray<int> array(64);
  int host = 1;
  copy_async(&host, array.data(), 4, device.stream.get());
  fill_bytes_async(array.data(), 0, 256, device.stream.get());
  REQUIRE(host == 1);
  REQUIRE_FALSE(device.stream.idle());
  device.stream.synchronize();
  REQUIRE(host == -1);  // fresh memory is not zero
}

TEST_CASE("everything allocated is counted, and given back", "[emulation]") {
  FreshDevice device;
  const auto before = cuda_emulation::usage();
  {
    const DeviceBuffer buffer(1000);
    const PinnedBuffer pinned(10);
    const Stream stream;
    const Event event;
    const auto during = cuda_emulation::usage();
    REQUIRE(during.device_bytes == before.device_bytes + 1000);
    REQUIRE(during.allocations == before.allocations + 2);
    REQUIRE(during.streams == before.streams + 1);
    REQUIRE(during.events == before.events + 1);
  }
  const auto after = cuda_emulation::usage();
  REQUIRE(after.device_bytes == before.device_bytes);
  REQUIRE(after.allocations == before.allocations);
  REQUIRE(after.streams == before.streams);
  REQUIRE(after.events == before.events);
}

void mma_kernel(const unsigned* a, const unsigned* b, float* d) {
  const int lane = lane_index();
  const int g = lane / 4;
  const int t = lane % 4;
  // a: 16 rows of 8 words, b: 8 columns of 8 words, each word two neighbours along the inner dimension
  const unsigned left[4] = {a[g * 8 + t], a[(g + 8) * 8 + t], a[g * 8 + t + 4], a[(g + 8) * 8 + t + 4]};
  const unsigned right[2] = {b[g * 8 + t], b[g * 8 + t + 4]};
  float sums[4] = {1, 1, 1, 1};
  mma<Bf16>(sums, left, right);
  for (int i = 0; i < 4; ++i) d[(g + (i < 2 ? 0 : 8)) * 8 + 2 * t + i % 2] = sums[i];
}

TEST_CASE("mma multiplies as the layout of its operands says", "[emulation]") {
  FreshDevice device;
  std::vector<float> a(16 * 16), b(8 * 16);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 13) - 6;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % 7) - 2;
  const auto words_of = [](const std::vector<float>& values) {
    std::vector<unsigned> words;
    for (std::size_t i = 0; i < values.size(); i += 2) words.push_back(pack<Bf16>(values[i], values[i + 1]));
    return words;
  };
  const std::vector<unsigned> a_words = words_of(a), b_words = words_of(b);
  const DeviceArray<unsigned> device_a(a_words.size()), device_b(b_words.size());
  const DeviceArray<float> d(16 * 8);
  copy_async(device_a.data(), a_words.data(), device_a.bytes(), device.stream.get());
  copy_async(device_b.data(), b_words.data(), device_b.bytes(), device.stream.get());
  device.run(mma_kernel, {1, 32}, device_a.data(), device_b.data(), d.data());
  std::vector<float> got(16 * 8);
  copy_async(got.data(), d.data(), d.bytes(), device.stream.get());
  device.stream.synchronize();
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t column = 0; column < 8; ++column) {
      float want = 1;
      for (std::size_t k = 0; k < 16; ++k) want += a[row * 16 + k] * b[column * 16 + k];
      REQUIRE(got[row * 8 + column] == want);
    }
  }
}

TEST_CASE("a float becomes the nearest half, even at ties, and half keeps its extremes", "[emulation]") {
  using cuda_emulation::float_to_half;
  for (unsigned bits = 0; bits < 0x7c00; ++bits) {
    const float value = half_to_float(static_cast<std::uint16_t>(bits));
    REQUIRE(float_to_half(value) == bits);
    REQUIRE(float_to_half(-value) == (bits | 0x8000u));
    if (bits + 1 == 0x7c00) break;
    const float next = half_to_float(static_cast<std::uint16_t>(bits + 1));
    REQUIRE(float_to_half((value + next) / 2) == (bits % 2 == 0 ? bits : bits + 1));
  }
  REQUIRE(float_to_half(65519.0f) == 0x7bff);
  REQUIRE(float_to_half(65520.0f) == 0x7c00);
}

}  // namespace
}  // namespace kernels::cuda::test
