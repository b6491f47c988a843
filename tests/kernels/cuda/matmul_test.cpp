#include "kernels/cuda/matmul.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <limits>

#include "kernels/cpu/ops.hpp"
#include "kernels/cuda/rmsnorm.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace kernels::cuda::test {
namespace {

// Up to kExactRows rows differ from the reference only in the order of the sum; above, x is what the tensor
// cores get, rounded before, so the same holds.
constexpr float kSumTolerance = 2e-5f;
// An output in 16 bits: half a unit in its last place.
float output_tolerance(DType dtype) {
  return dtype == DType::f32 ? kSumTolerance : dtype == DType::bf16 ? 0x1p-8f : 0x1p-11f;
}

constexpr float kEps = 1e-5f;

// x as a product of so many rows takes it, and the same values in float32.
struct Activations {
  int rows, cols, stride;
  DType dtype;
  std::vector<float> values;
  DeviceArray<float> floats;
  DeviceArray<std::uint16_t> bits;

  Activations(const Device& device, Random& random, int rows_, int cols_, DType weights)
      : rows(rows_),
        cols(cols_),
        stride((cols_ + 7) / 8 * 8),
        dtype(activation_type(rows_, weights)),
        values(random.normals(std::int64_t{rows_} * cols_)) {
    constexpr float kUnused = std::numeric_limits<float>::quiet_NaN();  // what is between cols and the stride
    if (dtype == DType::f32) {
      std::vector<float> padded(static_cast<std::size_t>(rows * stride), kUnused);
      for (int r = 0; r < rows; ++r) {
        for (int c = 0; c < cols; ++c) padded[at(r, c, stride)] = values[at(r, c, cols)];
      }
      floats = upload(device, padded);
    } else {
      bits = upload(device, pad_rows(dtype, values, rows, cols, kUnused));
    }
  }
  static std::size_t at(int r, int c, int width) { return static_cast<std::size_t>(r * width + c); }
  const void* data() const {
    return dtype == DType::f32 ? static_cast<const void*>(floats.data()) : bits.data();
  }
};

struct Weights {
  std::vector<float> values;
  std::vector<float> bias;
  DeviceArray<std::uint16_t> bits;
  DeviceArray<float> device_bias;
  int rows, cols;

  Weights(const Device& device, Random& random, DType dtype, int rows_, int cols_, bool biased)
      : values(random.normals(std::int64_t{rows_} * cols_)), rows(rows_), cols(cols_) {
    for (float& value : values) value /= std::sqrt(static_cast<float>(cols));
    bits = upload(device, pad_rows(dtype, values, rows, cols));
    if (biased) {
      bias = random.normals(rows);
      device_bias = upload(device, bias);
    }
  }
  WeightMatrix view() const {
    return {bits.data(), rows, (cols + 7) / 8 * 8, bias.empty() ? nullptr : device_bias.data(), nullptr, 0};
  }
  Matrix reference() const { return {values.data(), DType::f32, rows, cols}; }
};

std::vector<float> multiply(const std::vector<float>& x, int rows, const Weights& weights) {
  std::vector<float> out(static_cast<std::size_t>(rows * weights.rows));
  const kernels::MatmulArgs args{x.data(),
                                 weights.cols,
                                 rows,
                                 weights.reference(),
                                 weights.bias.empty() ? nullptr : weights.bias.data(),
                                 out.data(),
                                 weights.rows,
                                 false};
  reference_ops().matmul({&args, 1}, Part{});
  return out;
}

std::vector<float> normalise(const std::vector<float>& x, int rows, int cols,
                             const std::vector<float>& weight) {
  std::vector<float> out(x.size());
  reference_ops().rmsnorm({x.data(), cols, weight.data(), kEps, rows, cols, out.data(), cols});
  return out;
}

struct Shape {
  int rows, cols, outputs;
};
// Every kernel: one row, the last exact one, the first small one, tails of token tiles, one and two blocks of
// tokens; for the small ones also tiles of every height and more columns than are under way at once; for the
// tiled one whole tiles and ends of them.
const std::vector<Shape> kShapes = {{1, 8, 1},      {1, 576, 19},    {2, 33, 8},      {2, 4500, 9},
                                    {3, 2112, 24},  {4, 300, 17},    {5, 64, 16},     {8, 520, 33},
                                    {9, 40, 16},    {17, 72, 18},    {32, 131, 40},   {5, 4300, 17},
                                    {21, 2700, 19}, {12, 520, 4100}, {18, 525, 8200}, {33, 64, 20},
                                    {40, 33, 130},  {130, 104, 9},   {150, 301, 140}, {35, 256, 129}};

TEST_CASE("a product equals the reference for any number of rows, columns and outputs", "[cuda][matmul]") {
  const Device device;
  const DType dtype = GENERATE(DType::bf16, DType::f16);
  Random random(1);
  for (const Shape& shape : kShapes) {
    INFO(shape.rows << " rows, " << shape.cols << " columns, " << shape.outputs << " outputs");
    const Activations x(device, random, shape.rows, shape.cols, dtype);
    const Weights weights(device, random, dtype, shape.outputs, shape.cols, shape.outputs % 2 == 0);
    DeviceArray<float> out(static_cast<std::size_t>(shape.rows * shape.outputs));
    MatmulArgs args;
    args.input = {x.data(), x.stride, shape.rows, shape.cols, dtype, nullptr, 0, false};
    args.matrices[0] = weights.view();
    args.matrices[0].out = out.data();
    args.matrices[0].out_stride = shape.outputs;
    launch_matmul(args, device.stream());
    const std::vector<float> want = multiply(x.values, shape.rows, weights);
    require_near(download(device, out), want, kSumTolerance);

    args.accumulate = true;  // on top of what is there
    launch_matmul(args, device.stream());
    std::vector<float> twice = want;
    for (float& value : twice) value *= 2;
    require_near(download(device, out), twice, kSumTolerance);
  }
}

TEST_CASE("a token's product is the same in any batch and any matrix", "[cuda][matmul]") {
  const Device device;
  constexpr DType dtype = DType::bf16;
  Random random(7);
  constexpr int kCols = 600,
                kOutputs = 8200;  // the highest tiles, and more stages than are under way at once
  const Activations x(device, random, kSmallRows, kCols, dtype);
  const Weights weights(device, random, dtype, kOutputs, kCols, false);
  const auto product = [&](int rows, int outputs) {
    DeviceArray<float> out(static_cast<std::size_t>(rows * outputs));
    MatmulArgs args;
    args.input = {x.data(), x.stride, rows, kCols, dtype, nullptr, 0, false};
    args.matrices[0] = weights.view();
    args.matrices[0].rows = outputs;
    args.matrices[0].out = out.data();
    args.matrices[0].out_stride = outputs;
    launch_matmul(args, device.stream());
    return download(device, out);
  };
  const std::vector<float> all = product(kSmallRows, kOutputs);
  for (const int rows : {kExactRows + 1, 9, 17}) {
    for (const int outputs : {33, 4100, kOutputs}) {
      INFO(rows << " rows, " << outputs << " outputs");
      const std::vector<float> some = product(rows, outputs);
      bool same = true;
      for (int r = 0; r < rows; ++r) {
        const auto row = some.begin() + r * outputs;
        same = same && std::equal(row, row + outputs, all.begin() + r * kOutputs);
      }
      REQUIRE(same);
    }
  }
}

TEST_CASE("three matrices of different heights share one launch", "[cuda][matmul]") {
  const Device device;
  const int rows = GENERATE(1, 3, 6, 40);
  Random random(2);
  constexpr int kCols = 72;
  const Activations x(device, random, rows, kCols, DType::bf16);
  const Weights weights[3] = {{device, random, DType::bf16, 30, kCols, true},
                              {device, random, DType::bf16, 10, kCols, false},
                              {device, random, DType::bf16, 130, kCols, true}};
  DeviceArray<float> outs[3];
  MatmulArgs args;
  args.input = {x.data(), x.stride, rows, kCols, DType::bf16, nullptr, 0, true};
  args.matrix_count = 3;
  for (std::size_t i = 0; i < 3; ++i) {
    outs[i] = DeviceArray<float>(static_cast<std::size_t>(rows * weights[i].rows));
    args.matrices[i] = weights[i].view();
    args.matrices[i].out = outs[i].data();
    args.matrices[i].out_stride = weights[i].rows;
  }
  launch_matmul(args, device.stream());
  for (std::size_t i = 0; i < 3; ++i) {
    INFO("matrix " << i);
    require_near(download(device, outs[i]), multiply(x.values, rows, weights[i]), kSumTolerance);
  }
}

TEST_CASE("a product brings the raw gates of its rows along", "[cuda][matmul]") {
  const Device device;
  const int rows = GENERATE(1, 4, 7, 32, 35);
  const bool adapter = GENERATE(false, true);  // float32 weights of its own, or a row of the matrix
  Random random(6);
  constexpr int kCols = 72, kHeads = 3;
  const Activations x(device, random, rows, kCols, DType::bf16);
  const Weights weights(device, random, DType::bf16, 40, kCols, false);
  const std::vector<float> input = random.normals(rows * kCols), norm = random.normals(kCols);
  const std::vector<float> own = random.normals(kHeads * kCols);
  const auto device_input = upload(device, input), device_norm = upload(device, norm),
             device_own = upload(device, own);
  const DeviceArray<float> raw(static_cast<std::size_t>(kHeads * rows));
  const DeviceArray<float> out(static_cast<std::size_t>(rows * weights.rows));
  MatmulArgs args;
  args.input = {x.data(), x.stride, rows, kCols, DType::bf16, nullptr, 0, true};
  args.matrices[0] = weights.view();
  args.matrices[0].out = out.data();
  args.matrices[0].out_stride = weights.rows;
  args.gates.x = device_input.data();
  args.gates.x_stride = kCols;
  args.gates.rows = rows;
  args.gates.cols = kCols;
  args.gates.norm_weight = device_norm.data();
  args.gates.eps = kEps;
  args.gates.kv_heads = kHeads;
  args.gates.weight = adapter ? static_cast<const void*>(device_own.data()) : weights.bits.data() + 5 * kCols;
  args.gates.dtype = adapter ? DType::f32 : DType::bf16;
  args.gates.head_stride = adapter ? kCols : 10 * kCols;
  args.gates.raw = raw.data();
  args.gates.raw_stride = rows;
  launch_matmul(args, device.stream());
  require_near(download(device, out), multiply(x.values, rows, weights), kSumTolerance);
  const std::vector<float> got = download(device, raw);
  const std::vector<float> normed = normalise(input, rows, kCols, norm);
  for (std::size_t head = 0; head < kHeads; ++head) {
    const float* weight =
        adapter ? own.data() + head * kCols : weights.values.data() + (5 + 10 * head) * kCols;
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
      float want = 0;
      for (std::size_t i = 0; i < kCols; ++i) want += normed[row * kCols + i] * weight[i];
      REQUIRE(std::abs(got[head * static_cast<std::size_t>(rows) + row] - want) < 1e-4f);
    }
  }
  args.gates.rows = rows + 1;
  REQUIRE_THROWS_AS(launch_matmul(args, device.stream()), std::invalid_argument);
}

TEST_CASE("a product of few rows normalises what it reads", "[cuda][matmul]") {
  const Device device;
  const int rows = GENERATE(1, 2, 4);
  Random random(3);
  for (const int cols : {24, 61, 2200}) {
    const Activations x(device, random, rows, cols, DType::bf16);
    const Weights weights(device, random, DType::bf16, 11, cols, true);
    const std::vector<float> norm = random.normals(cols);
    std::vector<float> padded = norm;
    padded.resize(static_cast<std::size_t>(x.stride), std::numeric_limits<float>::quiet_NaN());
    const DeviceArray<float> device_norm = upload(device, padded);
    DeviceArray<float> out(static_cast<std::size_t>(rows * weights.rows));
    MatmulArgs args;
    args.input = {x.data(), x.stride, rows, cols, DType::bf16, device_norm.data(), kEps, false};
    args.matrices[0] = weights.view();
    args.matrices[0].out = out.data();
    args.matrices[0].out_stride = weights.rows;
    launch_matmul(args, device.stream());
    require_near(download(device, out), multiply(normalise(x.values, rows, cols, norm), rows, weights),
                 kSumTolerance);
  }
}

TEST_CASE("RMSNorm equals the reference, rounded", "[cuda][matmul]") {
  const Device device;
  const DType dtype = GENERATE(DType::bf16, DType::f16);
  Random random(4);
  for (const int cols : {1, 50, 700}) {
    constexpr int kRows = 5;
    const std::vector<float> x = random.normals(kRows * cols);
    const std::vector<float> weight = random.normals(cols);
    const DeviceArray<float> device_x = upload(device, x);
    const DeviceArray<float> device_weight = upload(device, weight);
    DeviceArray<std::uint16_t> out(x.size());
    launch_rmsnorm(
        {device_x.data(), cols, device_weight.data(), kEps, kRows, cols, out.data(), cols, dtype, false},
        device.stream());
    std::vector<float> got;
    for (const std::uint16_t bits : download(device, out)) got.push_back(from_bits(dtype, bits));
    require_near(got, normalise(x, kRows, cols, weight), output_tolerance(dtype));
  }
}

TEST_CASE("a gated product equals the reference", "[cuda][matmul]") {
  const Device device;
  const DType dtype = GENERATE(DType::bf16, DType::f16);
  Random random(5);
  for (const Shape& shape : kShapes) {
    INFO(shape.rows << " rows, " << shape.cols << " columns, " << shape.outputs << " outputs");
    const Activations x(device, random, shape.rows, shape.cols, dtype);
    const bool biased = shape.outputs % 2 == 0;
    const Weights gate(device, random, dtype, shape.outputs, shape.cols, biased);
    const Weights up(device, random, dtype, shape.outputs, shape.cols, biased);
    const auto count = static_cast<std::size_t>(shape.rows * shape.outputs);
    DeviceArray<float> floats(x.dtype == DType::f32 ? count : 0);
    DeviceArray<std::uint16_t> bits(x.dtype == DType::f32 ? 0 : count);
    GatedMatmulArgs args;
    args.input = {x.data(), x.stride, shape.rows, shape.cols, dtype, nullptr, 0, false};
    args.gate = gate.view();
    args.up = up.view();
    args.out = x.dtype == DType::f32 ? static_cast<void*>(floats.data()) : bits.data();
    args.out_stride = shape.outputs;
    launch_gated_matmul(args, device.stream());

    std::vector<float> want(count);
    const auto bias = [](const Weights& weights) {
      return weights.bias.empty() ? nullptr : weights.bias.data();
    };
    reference_ops().gated_matmul({x.values.data(), shape.cols, shape.rows, gate.reference(), up.reference(),
                                  bias(gate), bias(up), want.data(), shape.outputs},
                                 Part{});
    std::vector<float> got = download(device, floats);
    for (const std::uint16_t value : download(device, bits)) got.push_back(from_bits(dtype, value));
    require_near(got, want, output_tolerance(x.dtype));
  }
}

TEST_CASE("operands that cannot be read 16 bytes at a time are refused", "[cuda][matmul]") {
  const Device device;
  alignas(16) static float anything[64] = {};
  MatmulArgs args;
  args.input = {anything, 8, 1, 8, DType::bf16, nullptr, 0, false};
  args.matrices[0] = {anything, 1, 8, nullptr, anything, 1};
  SECTION("weights at an odd address") {
    args.matrices[0].data = reinterpret_cast<const char*>(anything) + 2;
  }
  SECTION("weights with an odd stride") {
    args.matrices[0].row_stride = 9;
  }
  SECTION("x with an odd stride") {
    args.input.x_stride = 9;
  }
  SECTION("float32 weights") {
    args.input.dtype = DType::f32;
  }
  SECTION("a norm for more rows than can be exact") {
    args.input.rows = kExactRows + 1;
    args.input.norm_weight = anything;
  }
  REQUIRE_THROWS_AS(launch_matmul(args, device.stream()), std::invalid_argument);
}

}  // namespace
}  // namespace kernels::cuda::test
