#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string_view>

#include "kernels/cpu/cpu_features.hpp"
#include "kernels/cpu/simd/work.hpp"
#include "tests/kernels/amx_emulated.hpp"
#include "tests/kernels/support.hpp"

namespace kernels::test {
namespace {

struct Shape {
  std::int64_t m, n, k;
};

// Whole tiles, and every tail: tokens beyond a tile or a panel, rows beyond a tile, values beyond 32, an odd
// value, and sums that are put aside between stretches of the inner dimension (more than 2 * 2048 values).
const std::vector<Shape> kShapes = {{16, 16, 32},  {48, 64, 64}, {9, 8, 1},    {17, 17, 33},  {33, 41, 75},
                                    {100, 70, 96}, {49, 33, 31}, {16, 16, 66}, {10, 9, 4130}, {530, 8, 40}};

// Activations and weights are small integers, so that sums are exact in any order.
std::vector<float> integers(std::int64_t count, int limit, Random& random) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random.below(2 * limit + 1) - limit);
  return values;
}

TEST_CASE("the AMX product on emulated tiles equals the reference exactly", "[amx]") {
  const simd::Kernels kernels = emulated_amx_kernels();
  const std::size_t misalignment = GENERATE(std::size_t{0}, std::size_t{2});
  Random random(40);
  for (const Shape& s : kShapes) {
    const std::vector<float> x = integers(s.m * (s.k + 2), 9, random);
    const Elements weights(DType::bf16, integers(s.n * s.k, 9, random), misalignment);
    const std::vector<float> bias = integers(s.n, 100, random);
    std::vector<float> want = integers(s.m * (s.n + 1), 100, random);
    std::vector<float> got = want;
    MatmulArgs args{x.data(),    s.k + 2,     s.m,     {weights.data(), DType::bf16, s.n, s.k},
                    bias.data(), want.data(), s.n + 1, true};
    reference_ops().matmul({&args, 1}, Part{});
    args.out = got.data();
    ThreadPool pool(2);
    pool.run([&](const Part& part) { simd::share_matmul(kernels, 1, {&args, 1}, part); });
    INFO("m " << s.m << " n " << s.n << " k " << s.k);
    REQUIRE(got == want);
  }
}

TEST_CASE("the gated AMX product on emulated tiles equals the reference", "[amx]") {
  const simd::Kernels kernels = emulated_amx_kernels();
  Random random(41);
  for (const Shape& s : kShapes) {
    const std::vector<float> x = integers(s.m * s.k, 1, random);
    const Elements gate(DType::bf16, integers(s.n * s.k, 1, random));
    const Elements up(DType::bf16, integers(s.n * s.k, 1, random));
    const std::vector<float> bias = random.normals(s.n);
    std::vector<float> want(static_cast<std::size_t>(s.m * s.n));
    std::vector<float> got = want;
    GatedMatmulArgs args{x.data(),
                         s.k,
                         s.m,
                         {gate.data(), DType::bf16, s.n, s.k},
                         {up.data(), DType::bf16, s.n, s.k},
                         bias.data(),
                         nullptr,
                         want.data(),
                         s.n};
    reference_ops().gated_matmul(args, Part{});
    args.out = got.data();
    simd::share_gated_matmul(kernels, 1, args, Part{});
    INFO("m " << s.m << " n " << s.n << " k " << s.k);
    for (std::size_t i = 0; i < got.size(); ++i) {
      REQUIRE(std::abs(got[i] - want[i]) <= 1e-6f * (1 + std::abs(want[i])));  // exp is good to 3e-7
    }
  }
}

TEST_CASE("the AMX product on this processor's tiles is offered only where it is right", "[amx]") {
  if (!detect_cpu_features().amx_bf16) SKIP("this processor or system has no AMX-BF16");
  const std::vector<const CpuOps*> ops = available_ops();
  REQUIRE(std::string_view(ops.back()->name) == "amx");
}

}  // namespace
}  // namespace kernels::test
