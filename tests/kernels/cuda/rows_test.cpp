// Kernels that go through rows or memory once: embedding, gates, copies, conversions.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <numeric>

#include "kernels/cuda/embed.hpp"
#include "kernels/cuda/gates.hpp"
#include "kernels/cuda/memory_rate.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace kernels::cuda::test {
namespace {

TEST_CASE("an embedded row is the table's, one of a negative token is zero", "[cuda][rows]") {
  const Device device;
  const DType dtype = GENERATE(DType::bf16, DType::f16);
  Random random(1);
  constexpr int kVocab = 5, kCols = 301, kStride = 304;
  std::vector<float> table = random.normals(kVocab * kCols);
  const auto bits = upload(device, pad_rows(dtype, table, kVocab, kCols));
  const std::vector<std::int32_t> tokens = {4, -1, 0, 4};
  const auto device_tokens = upload(device, tokens);
  const DeviceArray<float> out(tokens.size() * kStride);
  launch_embed({device_tokens.data(), 4, bits.data(), dtype, kStride, kCols, out.data(), kStride},
               device.stream());
  const std::vector<float> got = download(device, out);
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    for (std::size_t i = 0; i < kCols; ++i) {
      const float want = tokens[row] < 0 ? 0.0f : table[static_cast<std::size_t>(tokens[row]) * kCols + i];
      REQUIRE(got[row * kStride + i] == want);
    }
  }
}

TEST_CASE("gathered rows are those asked for, in that order", "[cuda][rows]") {
  const Device device;
  std::vector<float> x(5 * 70);
  std::iota(x.begin(), x.end(), 0.0f);
  const auto device_x = upload(device, x);
  const auto wanted = upload(device, std::vector<std::int32_t>{3, 0, 3});
  const DeviceArray<float> out(3 * 70);
  launch_gather({device_x.data(), 70, wanted.data(), 3, 70, out.data(), 70}, device.stream());
  const std::vector<float> got = download(device, out);
  for (std::size_t i = 0; i < 70; ++i) {
    REQUIRE(got[i] == x[3 * 70 + i]);
    REQUIRE(got[70 + i] == x[i]);
    REQUIRE(got[140 + i] == x[3 * 70 + i]);
  }
}

TEST_CASE("raw gates are the normalised row's product with each head's weights", "[cuda][rows]") {
  const Device device;
  const DType dtype = GENERATE(DType::f32, DType::bf16, DType::f16);
  const bool biased = GENERATE(false, true);
  Random random(2);
  constexpr int kRows = 6, kCols = 187, kHeads = 11;
  constexpr std::int64_t kHeadStride = 2 * 192, kBiasStride = 2;  // the rows of some heads of a projection
  const std::vector<float> x = random.normals(kRows * kCols), norm = random.normals(kCols);
  const std::vector<float> bias = random.normals(kHeads * kBiasStride);
  std::vector<float> weight = random.normals(kHeads * kHeadStride);
  std::vector<std::uint16_t> bits;
  if (dtype != DType::f32) bits = pad_rows(dtype, weight, kHeads, kHeadStride);
  const auto device_x = upload(device, x), device_norm = upload(device, norm),
             device_bias = upload(device, bias);
  const auto device_floats = upload(device, weight);
  const auto device_bits = upload(device, bits);
  const DeviceArray<float> raw(kHeads * 8);
  RawGateArgs args;
  args.x = device_x.data();
  args.x_stride = kCols;
  args.rows = kRows;
  args.cols = kCols;
  args.norm_weight = device_norm.data();
  args.eps = 1e-5f;
  args.kv_heads = kHeads;
  args.weight = dtype == DType::f32 ? static_cast<const void*>(device_floats.data()) : device_bits.data();
  args.dtype = dtype;
  args.head_stride = kHeadStride;
  args.bias = biased ? device_bias.data() : nullptr;
  args.bias_stride = kBiasStride;
  args.raw = raw.data();
  args.raw_stride = 8;
  launch_raw_gates(args, device.stream());
  const std::vector<float> got = download(device, raw);
  for (std::size_t row = 0; row < kRows; ++row) {
    double squares = 0;
    for (std::size_t i = 0; i < kCols; ++i) squares += std::pow(static_cast<double>(x[row * kCols + i]), 2);
    const double factor = 1 / std::sqrt(squares / kCols + 1e-5);
    for (std::size_t head = 0; head < kHeads; ++head) {
      double want = biased ? static_cast<double>(bias[head * kBiasStride]) : 0.0;
      for (std::size_t i = 0; i < kCols; ++i) {
        want += factor * static_cast<double>(x[row * kCols + i] * norm[i]) *
                static_cast<double>(weight[head * kHeadStride + i]);
      }
      REQUIRE(std::abs(static_cast<double>(got[head * 8 + row]) - want) < 1e-4);
    }
  }
}

TEST_CASE("a copy moves every byte and no more", "[cuda][rows]") {
  const Device device;
  for (const std::size_t bytes : {16u, 4096u, 100016u}) {
    std::vector<std::uint8_t> from(bytes);
    for (std::size_t i = 0; i < bytes; ++i) from[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    const auto source = upload(device, from);
    const DeviceArray<std::uint8_t> target(bytes + 16);
    fill_bytes_async(target.data(), 1, bytes + 16, device.stream());
    launch_copy(target.data(), source.data(), static_cast<std::int64_t>(bytes), device.stream());
    std::vector<std::uint8_t> want = from;
    want.resize(bytes + 16, 1);
    REQUIRE(download(device, target) == want);
    const auto sink = upload(device, std::vector<float>{0});
    launch_read(source.data(), static_cast<std::int64_t>(bytes), sink.data(), device.stream());
    REQUIRE(download(device, sink)[0] == 0.0f);
  }
}

TEST_CASE("random weights have the deviation asked for and repeat for a seed", "[cuda][rows]") {
  const Device device;
  constexpr std::size_t kCount = 20000;
  const DeviceArray<std::uint16_t> a(kCount), b(kCount), c(kCount);
  launch_fill_random(a.data(), DType::bf16, kCount, 0.02f, 1, device.stream());
  launch_fill_random(b.data(), DType::bf16, kCount, 0.02f, 1, device.stream());
  launch_fill_random(c.data(), DType::bf16, kCount, 0.02f, 2, device.stream());
  const std::vector<std::uint16_t> values = download(device, a);
  REQUIRE(values == download(device, b));
  REQUIRE(values != download(device, c));
  double sum = 0, squares = 0;
  for (const std::uint16_t bits : values) {
    const auto value = static_cast<double>(bf16_to_float(bits));
    sum += value;
    squares += value * value;
  }
  REQUIRE(std::abs(sum / kCount) < 1e-3);
  REQUIRE(std::abs(std::sqrt(squares / kCount) - 0.02) < 1e-3);
}

TEST_CASE("float32 weights become the nearest bf16", "[cuda][rows]") {
  const Device device;
  Random random(3);
  const std::vector<float> values = random.normals(1000);
  const auto from = upload(device, values);
  const DeviceArray<std::uint16_t> to(values.size());
  launch_to_bf16(to.data(), from.data(), 1000, device.stream());
  const auto got = download(device, to);
  for (std::size_t i = 0; i < values.size(); ++i) REQUIRE(got[i] == float_to_bf16(values[i]));
}

}  // namespace
}  // namespace kernels::cuda::test
