// Device operands for the tests of the CUDA kernels, which run on a GPU or, in every build, on the emulation.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/cuda/runtime.hpp"
#include "kernels/tensor.hpp"
#include "tests/kernels/support.hpp"

namespace kernels::cuda::test {

using kernels::test::Random;

// The first GPU is the one in use from here on; the test reports itself skipped where there is none.
inline void need_gpu() {
  int count = 0;
  try {
    count = device_count();
  } catch (const CudaError& error) {
    SKIP(error.what());
  }
  if (count == 0) SKIP("no GPU");
  select_device(0);
}

// A stream on the first GPU.
class Device {
 public:
  Device() : stream_(open()) {}
  StreamHandle stream() const { return stream_.get(); }
  void synchronize() const { stream_.synchronize(); }

 private:
  static Stream open() {
    need_gpu();
    return Stream();
  }

  Stream stream_;
};

template <typename T>
DeviceArray<T> upload(const Device& device, const std::vector<T>& values) {
  DeviceArray<T> array(values.size());
  copy_async(array.data(), values.data(), values.size() * sizeof(T), device.stream());
  device.synchronize();
  return array;
}

template <typename T>
std::vector<T> download(const Device& device, const T* from, std::size_t count) {
  std::vector<T> values(count);
  copy_async(values.data(), from, count * sizeof(T), device.stream());
  device.synchronize();
  return values;
}

template <typename T>
std::vector<T> download(const Device& device, const DeviceArray<T>& array) {
  return download(device, array.data(), array.size());
}

// Nearest even, also below 2^-14.
inline std::uint16_t round_to_half(float value) {
  const auto magnitude = std::abs(value);
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000u : 0u);
  if (magnitude >= 65520) return static_cast<std::uint16_t>(sign | 0x7c00u);
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  const int shift = std::max(exponent - 11, -24);  // 11 significant bits, or units of 2^-24
  const float rounded = std::ldexp(std::nearbyint(std::ldexp(magnitude, -shift)), shift);
  if (rounded < 0x1p-14f) return static_cast<std::uint16_t>(sign | static_cast<unsigned>(rounded * 0x1p24f));
  return static_cast<std::uint16_t>(sign | kernels::test::float_to_half(rounded));
}

inline std::uint16_t to_bits(DType dtype, float value) {
  return dtype == DType::bf16 ? float_to_bf16(value) : round_to_half(value);
}
inline float from_bits(DType dtype, std::uint16_t bits) {
  return dtype == DType::bf16 ? bf16_to_float(bits) : half_to_float(bits);
}

// [rows, cols] in 16 bits with rows padded to a multiple of 8; `values` becomes what the bits say.
inline std::vector<std::uint16_t> pad_rows(DType dtype, std::vector<float>& values, int rows, int cols,
                                           float padding = 0) {
  const int stride = (cols + 7) / 8 * 8;
  std::vector<std::uint16_t> bits(static_cast<std::size_t>(rows * stride), to_bits(dtype, padding));
  for (int row = 0; row < rows; ++row) {
    for (int col = 0; col < cols; ++col) {
      float& value = values[static_cast<std::size_t>(row * cols + col)];
      auto& to = bits[static_cast<std::size_t>(row * stride + col)];
      to = to_bits(dtype, value);
      value = from_bits(dtype, to);
    }
  }
  return bits;
}

inline void require_near(const std::vector<float>& got, const std::vector<float>& want, float tolerance) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(std::abs(got[i] - want[i]) <= tolerance * (1 + std::abs(want[i])))) {
      FAIL("at " << i << " is " << got[i] << ", expected " << want[i]);
    }
  }
}

}  // namespace kernels::cuda::test
