#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "tests/kernels/support.hpp"

namespace kernels::test {
namespace {

TEST_CASE("rmsnorm equals the reference, in place too", "[rmsnorm]") {
  Random random(30);
  for (const std::int64_t cols : {1, 7, 16, 33, 576, 577}) {
    const std::vector<float> x = random.normals(5 * (cols + 3));
    const std::vector<float> weight = random.normals(cols);
    std::vector<float> want = x;
    const RmsNormArgs args{x.data(), cols + 3, weight.data(), 1e-5f, 5, cols, want.data(), cols + 3};
    reference_ops().rmsnorm(args);
    for (const CpuOps* ops : tables()) {
      INFO(ops->name << " cols " << cols);
      std::vector<float> got = x;
      RmsNormArgs mine = args;
      mine.out = got.data();
      mine.x = got.data();
      ops->rmsnorm(mine);
      for (std::size_t i = 0; i < got.size(); ++i) {
        // The mean of squares is summed in another order: cols roundings at most, half of that after the
        // root.
        const float tolerance = static_cast<float>(cols + 8) * kFloatEpsilon * std::abs(want[i]);
        REQUIRE(std::abs(got[i] - want[i]) <= tolerance);
      }
    }
  }
}

TEST_CASE("rmsnorm of zeros is zero", "[rmsnorm]") {
  for (const CpuOps* ops : tables()) {
    std::vector<float> x(20, 0.0f);
    const std::vector<float> weight(20, 3.0f);
    ops->rmsnorm({x.data(), 20, weight.data(), 1e-6f, 1, 20, x.data(), 20});
    REQUIRE(x == std::vector<float>(20, 0.0f));
  }
}

TEST_CASE("half precision weights of every kind are widened exactly", "[dtype]") {
  // All finite half floats, subnormals included, through a product with one.
  std::vector<std::uint16_t> halves;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7c00u) != 0x7c00u) halves.push_back(static_cast<std::uint16_t>(bits));
  }
  const auto count = static_cast<std::int64_t>(halves.size());
  for (const std::int64_t m : {1, 16}) {
    const std::vector<float> x(static_cast<std::size_t>(m), 1.0f);
    for (const CpuOps* ops : tables()) {
      std::vector<float> out(static_cast<std::size_t>(m * count));
      const MatmulArgs args{x.data(), 1,          m,     {halves.data(), DType::f16, count, 1},
                            nullptr,  out.data(), count, false};
      ops->matmul({&args, 1}, Part{});
      INFO(ops->name << " m " << m);
      for (std::size_t i = 0; i < out.size(); ++i) {
        if (out[i] != half_to_float(halves[i % halves.size()]))
          FAIL("half " << halves[i % halves.size()] << " became " << out[i]);
      }
    }
  }
}

TEST_CASE("rope_rotate turns pairs half a head apart and keeps their length", "[rope]") {
  std::vector<float> x = {1, 2, 3, 4};
  const std::vector<float> cos = {0.0f, 1.0f};
  const std::vector<float> sin = {1.0f, 0.0f};
  rope_rotate(x.data(), 4, cos.data(), sin.data());
  REQUIRE(x == std::vector<float>{-3, 2, 1, 4});
}

TEST_CASE("store_kv rounds to the nearest bf16, ties to even, and copies float32", "[kv]") {
  const std::vector<float> values = {1.0f, 1.00390625f, 1.01171875f, -2.5f, 0.0f};
  std::vector<std::uint16_t> halves(values.size());
  store_kv(halves.data(), DType::bf16, values.data(), static_cast<std::int64_t>(values.size()));
  REQUIRE(halves == std::vector<std::uint16_t>{0x3f80, 0x3f80, 0x3f82, 0xc020, 0x0000});
  std::vector<float> copy(values.size());
  store_kv(copy.data(), DType::f32, values.data(), static_cast<std::int64_t>(values.size()));
  REQUIRE(copy == values);
}

TEST_CASE("merge_softmax with an empty state changes nothing", "[softmax]") {
  std::vector<float> max = {2.0f}, sum = {3.0f}, acc = {4.0f, 5.0f};
  std::vector<float> no_max = {-INFINITY}, no_sum = {0.0f}, no_acc = {0.0f, 0.0f};
  const SoftmaxState some{max.data(), sum.data(), acc.data()};
  const SoftmaxState none{no_max.data(), no_sum.data(), no_acc.data()};
  merge_softmax(some, none, 1, 2);
  REQUIRE((max[0] == 2.0f && sum[0] == 3.0f && acc == std::vector<float>{4.0f, 5.0f}));
  merge_softmax(none, some, 1, 2);
  REQUIRE((no_max[0] == 2.0f && no_sum[0] == 3.0f && no_acc == std::vector<float>{4.0f, 5.0f}));
}

class IsaVariable {
 public:
  explicit IsaVariable(const char* value) { setenv("DMSCOPE_ISA", value, 1); }
  ~IsaVariable() { unsetenv("DMSCOPE_ISA"); }
};

TEST_CASE("the best table is chosen, or a lesser one that DMSCOPE_ISA names", "[dispatch]") {
  std::string reason;
  REQUIRE(&best_ops(&reason) == available_ops().back());
  for (const CpuOps* ops : tables()) {
    const IsaVariable variable(ops->name);
    REQUIRE(&best_ops(&reason) == ops);
    REQUIRE(reason.find("DMSCOPE_ISA") != std::string::npos);
  }
}

TEST_CASE("an unknown DMSCOPE_ISA falls back to the best table and says what was expected", "[dispatch]") {
  const IsaVariable variable("sse9");
  std::string reason;
  REQUIRE(&best_ops(&reason) == available_ops().back());
  REQUIRE(reason.find("sse9") != std::string::npos);
  REQUIRE(reason.find("avx512_bf16") != std::string::npos);
}

}  // namespace
}  // namespace kernels::test
