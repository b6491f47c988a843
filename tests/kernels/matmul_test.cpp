#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/kernels/support.hpp"

namespace kernels::test {
namespace {

struct Shape {
  std::int64_t m, n, k;
};

const std::vector<Shape> kShapes = {
    {1, 1, 1},     {1, 3, 576},  {1, 17, 31},   {1, 192, 576}, {2, 5, 33},    {3, 16, 64},
    {4, 33, 100},  {5, 40, 17},  {8, 24, 96},   {9, 8, 32},    {9, 7, 32},    {12, 65, 63},
    {16, 64, 64},  {17, 66, 1},  {31, 9, 2},    {33, 72, 35},  {48, 130, 16}, {49, 64, 577},
    {100, 3, 576}, {64, 31, 50}, {130, 20, 40}, {513, 10, 8},  {16, 8, 5000}, {1025, 12, 6},
};

struct Product {
  Shape shape;
  std::vector<float> x;
  Elements weights;
  std::vector<float> bias;
  std::vector<float> out;
  std::int64_t x_stride;
  std::int64_t out_stride;
  MatmulArgs args;

  Product(Shape s, DType dtype, std::size_t misalignment, Random& random, bool bf16_activations)
      : shape(s),
        x(random.normals(s.m * (s.k + 3))),
        weights(dtype, random.normals(s.n * s.k), misalignment),
        bias(random.normals(s.n)),
        out(random.normals(s.m * (s.n + 5))),
        x_stride(s.k + 3),
        out_stride(s.n + 5) {
    if (bf16_activations) round_to_bf16(x);
    args = {x.data(), x_stride,   s.m,        {weights.data(), dtype, s.n, s.k},
            nullptr,  out.data(), out_stride, false};
  }
};

struct Moments {
  double sum_of_magnitudes;
  double root_of_squares;
};

Moments moments(const MatmulArgs& args, std::int64_t m, std::int64_t n) {
  Moments result{0, 0};
  for (std::int64_t c = 0; c < args.w.cols; ++c) {
    const double product = double{args.x[m * args.x_stride + c]} * double{element(args.w, n, c)};
    result.sum_of_magnitudes += std::abs(product);
    result.root_of_squares += product * product;
  }
  result.root_of_squares = std::sqrt(result.root_of_squares);
  return result;
}

std::vector<float> run(const CpuOps& ops, const MatmulArgs& args, const std::vector<float>& initial,
                       int threads) {
  std::vector<float> out = initial;
  MatmulArgs mine = args;
  mine.out = out.data();
  ThreadPool pool(threads);
  pool.run([&](const Part& part) { ops.matmul({&mine, 1}, part); });
  return out;
}

// The worst that k additions in any order can differ by, for the kernel and the reference together.
double float_bound(const MatmulArgs& args, std::int64_t m, std::int64_t n) {
  const double magnitude = moments(args, m, n).sum_of_magnitudes + 8;  // 8: bias and what was in `out`
  return 2.0 * static_cast<double>(args.w.cols + 2) * double{kFloatEpsilon} * magnitude;
}

void require_equal(const MatmulArgs& args, const std::vector<float>& got, const std::vector<float>& want,
                   auto bound) {
  for (std::int64_t m = 0; m < args.m; ++m) {
    for (std::int64_t c = 0; c < args.out_stride; ++c) {
      const auto i = static_cast<std::size_t>(m * args.out_stride + c);
      if (c >= args.w.rows) {
        REQUIRE(got[i] == want[i]);  // the gap between rows is not the product's to write
        continue;
      }
      const double error = std::abs(double{got[i]} - double{want[i]});
      if (!(error <= bound(args, m, c))) {
        FAIL("out[" << m << ", " << c << "] is " << got[i] << ", expected " << want[i]);
      }
    }
  }
}

TEST_CASE("matmul equals the reference to float32 rounding at odd sizes", "[matmul]") {
  const DType dtype = GENERATE(DType::f32, DType::f16, DType::bf16);
  Random random(1);
  for (const Shape& shape : kShapes) {
    for (const std::size_t misalignment : {std::size_t{0}, std::size_t{2}}) {
      Product product(shape, dtype, misalignment, random, true);
      product.args.bias = misalignment == 0 ? nullptr : product.bias.data();
      product.args.accumulate = shape.n % 2 == 0;
      const std::vector<float> want = run(reference_ops(), product.args, product.out, 1);
      for (const CpuOps* ops : tables()) {
        for (const int threads : {1, 2, 3}) {
          INFO(ops->name << " " << name_of(dtype) << " m " << shape.m << " n " << shape.n << " k " << shape.k
                         << " threads " << threads << " misaligned by " << misalignment);
          require_equal(product.args, run(*ops, product.args, product.out, threads), want, float_bound);
        }
      }
    }
  }
}

TEST_CASE("matmul loses no more than bf16 rounding of the activations", "[matmul]") {
  Random random(2);
  const Product product({64, 96, 576}, DType::bf16, 0, random, false);
  const std::vector<float> want = run(reference_ops(), product.args, product.out, 1);
  // Each activation is off by at most 2^-9 of itself, uniformly: a standard deviation of 2^-9 / sqrt(3). Six
  // of the resulting sum's standard deviations would be exceeded once in 10^9 sums.
  const auto bound = [](const MatmulArgs& args, std::int64_t m, std::int64_t n) {
    return 6 * 0x1p-9 / std::sqrt(3.0) * moments(args, m, n).root_of_squares + float_bound(args, m, n);
  };
  for (const CpuOps* ops : tables()) {
    INFO(ops->name);
    require_equal(product.args, run(*ops, product.args, product.out, 2), want, bound);
  }
}

TEST_CASE("matmul gives the same bits whatever the number of threads", "[matmul]") {
  Random random(3);
  for (const Shape& shape : {Shape{1, 200, 300}, Shape{70, 200, 300}}) {
    const Product product(shape, DType::bf16, 0, random, false);
    for (const CpuOps* ops : tables()) {
      const std::vector<float> one = run(*ops, product.args, product.out, 1);
      for (int threads = 2; threads <= 4; ++threads)
        REQUIRE(run(*ops, product.args, product.out, threads) == one);
    }
  }
}

TEST_CASE("several products of one region are all computed, whether they share activations or not",
          "[matmul]") {
  Random random(4);
  const std::int64_t m = GENERATE(1, 3, 40);
  Product q({m, 72, 48}, DType::bf16, 0, random, true);
  Product k({m, 24, 48}, DType::bf16, 0, random, true);
  Product v({m, 24, 40}, DType::f32, 0, random, true);
  Product gate({m, 3, 48}, DType::f16, 0, random, true);
  k.args.x = q.args.x;
  gate.args.x = q.args.x;
  const std::vector<Product*> products = {&q, &k, &v, &gate};
  for (const CpuOps* ops : tables()) {
    std::vector<std::vector<float>> outs;
    std::vector<MatmulArgs> args;
    for (Product* product : products) outs.push_back(product->out);
    for (std::size_t i = 0; i < products.size(); ++i) {
      args.push_back(products[i]->args);
      args.back().out = outs[i].data();
    }
    ThreadPool pool(2);
    pool.run([&](const Part& part) { ops->matmul(args, part); });
    for (std::size_t i = 0; i < products.size(); ++i) {
      INFO(ops->name << " product " << i);
      require_equal(products[i]->args, outs[i], run(reference_ops(), products[i]->args, products[i]->out, 1),
                    float_bound);
    }
  }
}

TEST_CASE("matmul of no tokens writes nothing", "[matmul]") {
  Random random(5);
  Product product({1, 16, 16}, DType::bf16, 0, random, true);
  product.args.m = 0;
  for (const CpuOps* ops : tables()) REQUIRE(run(*ops, product.args, product.out, 2) == product.out);
}

TEST_CASE("matmul keeps subnormal activations and weights apart from garbage", "[matmul]") {
  // Subnormals may be flushed to zero (vdpbf16ps does), never read as something else.
  for (const std::int64_t m : {1, 20}) {
    std::vector<float> x(static_cast<std::size_t>(m * 64), 0x1p-130f);
    const Elements weights(DType::bf16, std::vector<float>(64 * 16, 0x1p-3f));
    std::vector<float> out(static_cast<std::size_t>(m * 16), 7.0f);
    const MatmulArgs args{x.data(), 64,         m,  {weights.data(), DType::bf16, 16, 64},
                          nullptr,  out.data(), 16, false};
    for (const CpuOps* ops : tables()) {
      for (float value : run(*ops, args, out, 1)) {
        REQUIRE(value >= 0.0f);
        REQUIRE(value <= 0x1p-127f);  // 64 * 2^-133 and no more
      }
    }
  }
}

TEST_CASE("matmul hands an infinite or undefined activation to its own token alone", "[matmul]") {
  Random random(6);
  for (const std::int64_t m : {2, 20}) {
    Product product({m, 16, 33}, DType::bf16, 0, random, true);
    product.x[static_cast<std::size_t>(product.x_stride + 32)] = std::nanf("");
    for (const CpuOps* ops : tables()) {
      INFO(ops->name);
      const std::vector<float> out = run(*ops, product.args, product.out, 1);
      for (std::int64_t t = 0; t < m; ++t) {
        for (std::int64_t n = 0; n < 16; ++n) {
          REQUIRE(std::isnan(out[static_cast<std::size_t>(t * product.out_stride + n)]) == (t == 1));
        }
      }
    }
  }
}

struct Gated {
  std::vector<float> x;
  Elements gate, up;
  std::vector<float> gate_bias, up_bias, out;
  GatedMatmulArgs args;

  Gated(Shape s, DType dtype, Random& random, float spread)
      : x(random.normals(s.m * (s.k + 1))),
        gate(dtype, random.normals(s.n * s.k), 2),
        up(dtype, random.normals(s.n * s.k), 2),
        gate_bias(random.normals(s.n)),
        up_bias(random.normals(s.n)),
        out(random.normals(s.m * (s.n + 2))) {
    for (float& value : x) value *= spread;
    round_to_bf16(x);
    args = {
        x.data(), s.k + 1,    s.m,    {gate.data(), dtype, s.n, s.k}, {up.data(), dtype, s.n, s.k}, nullptr,
        nullptr,  out.data(), s.n + 2};
  }
};

std::vector<float> run(const CpuOps& ops, const GatedMatmulArgs& args, const std::vector<float>& initial,
                       int threads) {
  std::vector<float> out = initial;
  GatedMatmulArgs mine = args;
  mine.out = out.data();
  ThreadPool pool(threads);
  pool.run([&](const Part& part) { ops.gated_matmul(mine, part); });
  return out;
}

TEST_CASE("gated_matmul equals the reference at odd sizes", "[matmul]") {
  const DType dtype = GENERATE(DType::f32, DType::f16, DType::bf16);
  Random random(7);
  for (const Shape& shape : kShapes) {
    Gated product(shape, dtype, random, 1.0f / std::sqrt(static_cast<float>(shape.k)));
    if (shape.n % 2 == 0) {
      product.args.gate_bias = product.gate_bias.data();
      product.args.up_bias = product.up_bias.data();
    }
    const std::vector<float> want = run(reference_ops(), product.args, product.out, 1);
    for (const CpuOps* ops : tables()) {
      const std::vector<float> got = run(*ops, product.args, product.out, 2);
      INFO(ops->name << " " << name_of(dtype) << " m " << shape.m << " n " << shape.n << " k " << shape.k);
      for (std::size_t i = 0; i < got.size(); ++i) {
        // Both factors are of order one; silu's slope is at most 1.1 and exp is good to 3e-7.
        const float bound = 1e-5f * (1 + std::abs(want[i]));
        if (!(std::abs(got[i] - want[i]) <= bound))
          FAIL("at " << i << " is " << got[i] << ", expected " << want[i]);
      }
    }
  }
}

TEST_CASE("gated_matmul saturates instead of overflowing at extreme gates", "[matmul]") {
  Random random(8);
  for (const std::int64_t m : {1, 40}) {
    const Gated product({m, 32, 16}, DType::bf16, random, 1e4f);
    const std::vector<float> want = run(reference_ops(), product.args, product.out, 1);
    for (const CpuOps* ops : tables()) {
      INFO(ops->name);
      const std::vector<float> got = run(*ops, product.args, product.out, 1);
      for (std::size_t i = 0; i < got.size(); ++i) {
        REQUIRE(std::isfinite(got[i]));
        REQUIRE(std::abs(got[i] - want[i]) <= 1e-5f * std::abs(want[i]) + 1e-3f);
      }
    }
  }
}

}  // namespace
}  // namespace kernels::test
