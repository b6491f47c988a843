// Random operands and error bounds shared by the tests of the CPU kernels.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/cpu/ops.hpp"

namespace kernels::test {

inline constexpr float kFloatEpsilon = 0x1p-24f;  // half a unit in the last place of 1.0f

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  float normal() { return distribution_(engine_); }
  int below(int limit) { return static_cast<int>(engine_() % static_cast<unsigned>(limit)); }

  std::vector<float> normals(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = normal();
    return values;
  }

 private:
  std::mt19937 engine_;
  std::normal_distribution<float> distribution_;
};

// Nothing is lost when a kernel rounds these to bf16, so that its result must equal the reference's to
// float32.
inline void round_to_bf16(std::vector<float>& values) {
  for (float& value : values) value = bf16_to_float(float_to_bf16(value));
}

// Good enough for values that tests choose: rounds toward zero, flushes below 2^-14.
inline std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const int exponent = static_cast<int>((bits >> 23) & 0xffu) - 112;
  if (exponent <= 0) return sign;
  return static_cast<std::uint16_t>(sign | (static_cast<unsigned>(exponent) << 10) | ((bits >> 13) & 0x3ffu));
}

// Elements of a dtype that begin `misalignment` bytes after an aligned address, with nothing behind the last
// one: the address sanitizer sees any read beyond it.
class Elements {
 public:
  Elements(DType dtype, const std::vector<float>& values, std::size_t misalignment = 0)
      : dtype_(dtype), misalignment_(misalignment), bytes_(misalignment + values.size() * size_of(dtype)) {
    for (std::size_t i = 0; i < values.size(); ++i) store(i, values[i]);
  }

  const void* data() const { return bytes_.data() + misalignment_; }

 private:
  void store(std::size_t i, float value) {
    unsigned char* to = bytes_.data() + misalignment_ + i * size_of(dtype_);
    if (dtype_ == DType::f32) {
      std::memcpy(to, &value, sizeof value);
      return;
    }
    const std::uint16_t half = dtype_ == DType::f16 ? float_to_half(value) : float_to_bf16(value);
    std::memcpy(to, &half, sizeof half);
  }

  DType dtype_;
  std::size_t misalignment_;
  std::vector<unsigned char> bytes_;
};

inline float element(const Matrix& w, std::int64_t row, std::int64_t col) {
  const auto* p = static_cast<const unsigned char*>(w.data) +
                  static_cast<std::size_t>(row * w.cols + col) * size_of(w.dtype);
  if (w.dtype == DType::f32) {
    float value;
    std::memcpy(&value, p, sizeof value);
    return value;
  }
  std::uint16_t half;
  std::memcpy(&half, p, sizeof half);
  return w.dtype == DType::f16 ? half_to_float(half) : bf16_to_float(half);
}

inline std::vector<const CpuOps*> tables() {
  std::vector<const CpuOps*> tables = available_ops();
  REQUIRE(!tables.empty());
  return tables;
}

}  // namespace kernels::test
