#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <climits>
#include <numeric>

#include "tests/kernels/support.hpp"

namespace kernels::test {
namespace {

// Attention's result is an average of values of order one. Float32 paths differ from the reference by the
// rounding of scores (logits up to some 10, so 1e-6 each) and of sums. Rounding queries and softmax weights
// to bf16 moves a logit by up to 2^-9 of its terms and a weight by 2^-9.
constexpr float kFloatTolerance = 2e-5f;
constexpr float kBf16Tolerance = 2e-2f;

struct Pages {
  std::vector<Elements> storage;
  std::vector<const void*> pages;

  Pages(DType dtype, int head_dim, int slots, Random& random, float spread) {
    const int count = (slots + kPageSlots - 1) / kPageSlots;
    for (int i = 0; i < count; ++i) {
      std::vector<float> values = random.normals(2 * kPageSlots * head_dim);
      for (float& value : values) value *= spread;
      storage.emplace_back(dtype, values);
    }
    for (const Elements& page : storage) pages.push_back(page.data());
    std::reverse(pages.begin(), pages.end());  // slot order is not address order
  }
};

struct State {
  std::vector<float> max, sum, acc;
  State(int group, int head_dim)
      : max(static_cast<std::size_t>(group), 3.0f),
        sum(static_cast<std::size_t>(group), 4.0f),
        acc(static_cast<std::size_t>(group * head_dim), 5.0f) {}
  SoftmaxState view() { return {max.data(), sum.data(), acc.data()}; }

  std::vector<float> output() const {
    std::vector<float> result = acc;
    const std::size_t dim = acc.size() / sum.size();
    for (std::size_t i = 0; i < result.size(); ++i) result[i] /= sum[i / dim];
    return result;
  }
};

void require_close(const std::vector<float>& got, const std::vector<float>& want, float tolerance) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(std::abs(got[i] - want[i]) <= tolerance * (1 + std::abs(want[i])))) {
      FAIL("at " << i << " is " << got[i] << ", expected " << want[i]);
    }
  }
}

TEST_CASE("attend_slots equals the reference for any group, head size and range of slots", "[attention]") {
  const DType dtype = GENERATE(DType::f32, DType::bf16);
  Random random(10);
  for (const int group : {1, 2, 3, 4, 5, 7, 8, 9}) {
    for (const int head_dim : {2, 6, 16, 30, 64, 80, 128}) {
      const Pages pages(dtype, head_dim, 300, random, 1.0f);
      const std::vector<float> q = random.normals(group * head_dim);
      for (const auto& [begin, end] : {std::pair{0, 1}, {0, 64}, {5, 7}, {63, 65}, {0, 300}, {70, 263}}) {
        State want(group, head_dim);
        std::vector<float> want_scores(static_cast<std::size_t>(group * 310), 9.0f);
        AttendSlotsArgs args{q.data(),
                             group,
                             head_dim,
                             1.0f / std::sqrt(static_cast<float>(head_dim)),
                             pages.pages.data(),
                             dtype,
                             begin,
                             end,
                             want.view(),
                             want_scores.data(),
                             310};
        reference_ops().attend_slots(args);
        for (const CpuOps* ops : tables()) {
          INFO(ops->name << " " << name_of(dtype) << " group " << group << " dim " << head_dim << " slots "
                         << begin << ".." << end);
          State got(group, head_dim);
          std::vector<float> scores(want_scores.size(), 9.0f);
          args.state = got.view();
          args.scores = scores.data();
          ops->attend_slots(args);
          require_close(got.max, want.max, kFloatTolerance);
          require_close(got.sum, want.sum, kFloatTolerance);
          require_close(got.acc, want.acc, kFloatTolerance);
          require_close(scores, want_scores, kFloatTolerance);
          args.scores = nullptr;
          State again(group, head_dim);
          args.state = again.view();
          ops->attend_slots(args);
          REQUIRE(again.acc == got.acc);
        }
      }
    }
  }
}

TEST_CASE("attend_slots of no slots is the empty state", "[attention]") {
  Random random(11);
  const Pages pages(DType::bf16, 64, 64, random, 1.0f);
  const std::vector<float> q = random.normals(3 * 64);
  std::vector<const CpuOps*> all = tables();
  all.push_back(&reference_ops());
  for (const CpuOps* ops : all) {
    State state(3, 64);
    ops->attend_slots(
        {q.data(), 3, 64, 0.125f, pages.pages.data(), DType::bf16, 10, 10, state.view(), nullptr, 0});
    REQUIRE(state.max == std::vector<float>(3, -INFINITY));
    REQUIRE(state.sum == std::vector<float>(3, 0.0f));
    REQUIRE(state.acc == std::vector<float>(3 * 64, 0.0f));
  }
}

TEST_CASE("slots attended in pieces and merged equal the whole", "[attention]") {
  Random random(12);
  const int head_dim = 64;
  const Pages pages(DType::bf16, head_dim, 500, random, 2.0f);
  const std::vector<float> q = random.normals(3 * head_dim);
  for (const CpuOps* ops : tables()) {
    State whole(3, head_dim);
    AttendSlotsArgs args{q.data(),     3,       head_dim, 0.125f, pages.pages.data(), DType::bf16, 0, 500,
                         whole.view(), nullptr, 0};
    ops->attend_slots(args);
    State merged(3, head_dim);
    for (const auto& [begin, end] : {std::pair{0, 0}, {0, 130}, {130, 131}, {131, 131}, {131, 500}}) {
      State piece(3, head_dim);
      args.slot_begin = begin;
      args.slot_end = end;
      args.state = end == 0 ? merged.view() : piece.view();
      ops->attend_slots(args);
      if (end != 0) merge_softmax(merged.view(), piece.view(), 3, head_dim);
    }
    require_close(merged.output(), whole.output(), kFloatTolerance);
  }
}

TEST_CASE("attend_slots survives scores far beyond what exp can take", "[attention]") {
  const float spread = GENERATE(1e3f, 1e10f, 1e17f);
  Random random(13);
  const Pages pages(DType::f32, 16, 200, random, spread);
  std::vector<float> q = random.normals(2 * 16);
  for (float& value : q) value *= spread;
  for (std::size_t i = 0; i < 16; ++i) q[i] = -std::abs(q[i]);
  for (const CpuOps* ops : tables()) {
    State want(2, 16);
    State got(2, 16);
    AttendSlotsArgs args{q.data(), 2,           16,      0.25f, pages.pages.data(), DType::f32, 0,
                         200,      want.view(), nullptr, 0};
    reference_ops().attend_slots(args);
    args.state = got.view();
    ops->attend_slots(args);
    const std::vector<float> output = got.output();
    const std::vector<float> expected = want.output();
    for (std::size_t i = 0; i < output.size(); ++i) {
      REQUIRE(std::isfinite(output[i]));
      REQUIRE(std::abs(output[i] - expected[i]) <= 1e-3f * spread);
    }
  }
}

struct Block {
  int queries, group, head_dim, keys;
  std::int32_t first_position;
  DType dtype;
  std::vector<float> q;
  Elements k, v;
  std::vector<std::int32_t> position, last_query;

  // The chunk's own tokens come last, in order; what is older lies in any order.
  Block(int queries_, int group_, int head_dim_, int older, DType dtype_, Random& random, float spread = 1.0f)
      : queries(queries_),
        group(group_),
        head_dim(head_dim_),
        keys(older + queries_),
        first_position(older),
        dtype(dtype_),
        q(random.normals(std::int64_t{queries} * (group * head_dim + 4))),
        k(dtype_, random.normals(std::int64_t{keys} * head_dim)),
        v(dtype_, random.normals(std::int64_t{keys} * head_dim)),
        position(static_cast<std::size_t>(keys)),
        last_query(static_cast<std::size_t>(keys), INT_MAX) {
    for (float& value : q) value *= spread;
    std::iota(position.begin(), position.end(), 0);
    for (int i = older - 1; i > 0; --i) {
      std::swap(position[static_cast<std::size_t>(i)],
                position[static_cast<std::size_t>(random.below(i + 1))]);
    }
  }

  // Marks each token with the given chance; a marked one stays visible for `window` steps.
  void mark(int percent, int window, Random& random) {
    for (std::size_t j = 0; j < position.size(); ++j) {
      if (random.below(100) < percent) last_query[j] = position[j] + window;
    }
  }

  std::vector<float> run(const CpuOps& ops) const {
    const std::int64_t row = group * head_dim;
    std::vector<float> out(static_cast<std::size_t>(queries * (row + 2)), 77.0f);
    ops.attend_block({q.data(), row + 4, queries, group, head_dim,
                      1.0f / std::sqrt(static_cast<float>(head_dim)), first_position, k.data(), v.data(),
                      dtype, keys, position.data(), last_query.data(), out.data(), row + 2});
    return out;
  }

  void require_equal_to_reference() const {
    const std::vector<float> want = run(reference_ops());
    for (const CpuOps* ops : tables()) {
      INFO(ops->name << " " << name_of(dtype) << " queries " << queries << " group " << group << " dim "
                     << head_dim << " keys " << keys);
      const bool rounds = dtype == DType::bf16 && std::string_view(ops->name) != "portable" &&
                          std::string_view(ops->name) != "avx2" && std::string_view(ops->name) != "avx512";
      require_close(run(*ops), want, rounds ? kBf16Tolerance : kFloatTolerance);
    }
  }
};

TEST_CASE("attend_block equals the reference under the causal mask at odd sizes", "[attention]") {
  const DType dtype = GENERATE(DType::f32, DType::bf16);
  Random random(20);
  for (const int head_dim : {2, 6, 22, 64, 80, 128}) {
    for (const int group : {1, 3, 5, 8}) {
      for (const int queries : {1, 2, 17, 70}) {
        for (const int older : {0, 1, 63, 130}) {
          Block(queries, group, head_dim, older, dtype, random).require_equal_to_reference();
        }
      }
    }
  }
}

TEST_CASE("attend_block hides keys after their last query", "[attention]") {
  const DType dtype = GENERATE(DType::f32, DType::bf16);
  Random random(21);
  for (const int window : {0, 1, 8, 100}) {
    for (const int percent : {30, 90, 100}) {
      Block block(150, 3, 64, 200, dtype, random);
      block.mark(percent, window, random);
      block.require_equal_to_reference();
    }
  }
}

TEST_CASE("attend_block gives what hand-made visibility allows", "[attention]") {
  // Three keys, all queries score them equally: the output is the plain average of the visible values.
  const std::vector<float> q(4 * 2, 0.0f);
  const Elements k(DType::f32, std::vector<float>(3 * 2, 1.0f));
  const Elements v(DType::f32, {1, 10, 2, 20, 6, 60});
  const std::vector<std::int32_t> position = {0, 2, 1};
  const std::vector<std::int32_t> last_query = {1, INT_MAX, INT_MAX};  // token 0 is gone after query 1
  for (const CpuOps* ops : tables()) {
    std::vector<float> out(4 * 2);
    ops->attend_block({q.data(), 2, 4, 1, 2, 1.0f, 0, k.data(), v.data(), DType::f32, 3, position.data(),
                       last_query.data(), out.data(), 2});
    const std::vector<float> want = {1, 10, 3.5f, 35, 4, 40, 4, 40};
    INFO(ops->name);
    require_close(out, want, 1e-6f);
  }
}

TEST_CASE("attend_block skips stretches of keys that every query has outlived", "[attention]") {
  Random random(22);
  Block block(100, 3, 64, 500, DType::bf16, random);
  for (std::size_t j = 0; j < 400; ++j) block.last_query[j] = 450;  // before the first query
  for (std::size_t j = 256; j < 320; ++j) block.last_query[j] = 520;
  block.require_equal_to_reference();
}

TEST_CASE("attend_block survives extreme scores and empty first blocks", "[attention]") {
  const DType dtype = GENERATE(DType::f32, DType::bf16);
  Random random(23);
  Block block(60, 2, 32, 200, dtype, random, 1e6f);
  // The first block of keys is visible to the first queries only: the others start with nothing but hidden
  // scores.
  for (std::size_t j = 0; j < 128; ++j) block.last_query[j] = block.first_position + 3;
  for (const CpuOps* ops : tables()) {
    INFO(ops->name);
    for (float value : block.run(*ops)) REQUIRE(std::isfinite(value));
  }
}

TEST_CASE("attend_block weighs large negative scores relative to each other", "[attention]") {
  // All scores are near -1e5; without subtracting the maximum every weight would be zero.
  const int dim = 16;
  std::vector<float> keys(100 * dim, -100.0f);
  for (std::size_t j = 0; j < 100; ++j) keys[j * dim] = -100.0f - static_cast<float>(j % 2);
  Random random(24);
  const std::vector<float> q(dim, 64.0f);
  const Elements k(DType::f32, keys);
  const std::vector<float> values = random.normals(100 * dim);
  const Elements v(DType::f32, values);
  std::vector<std::int32_t> position(100, 0);
  const std::vector<std::int32_t> last_query(100, INT_MAX);
  std::vector<const CpuOps*> all = tables();
  all.push_back(&reference_ops());
  for (const CpuOps* ops : all) {
    std::vector<float> out(dim);
    ops->attend_block({q.data(), dim, 1, 1, dim, 1.0f, 5, k.data(), v.data(), DType::f32, 100,
                       position.data(), last_query.data(), out.data(), dim});
    for (std::size_t d = 0; d < dim; ++d) {
      float mean = 0;  // of the even keys: the odd ones weigh exp(-64)
      for (std::size_t j = 0; j < 100; j += 2) mean += values[j * dim + d] / 50;
      REQUIRE(std::abs(out[d] - mean) < 1e-5f);
    }
  }
}

TEST_CASE("one block and its queries one by one agree", "[attention]") {
  Random random(25);
  Block block(40, 3, 64, 100, DType::bf16, random);
  block.mark(50, 10, random);
  for (const CpuOps* ops : tables()) {
    const std::vector<float> together = block.run(*ops);
    const std::int64_t row = 3 * 64;
    for (int i = 0; i < block.queries; ++i) {
      std::vector<float> alone(static_cast<std::size_t>(row));
      ops->attend_block({block.q.data() + i * (row + 4), row, 1, 3, 64, 0.125f, block.first_position + i,
                         block.k.data(), block.v.data(), block.dtype, block.keys, block.position.data(),
                         block.last_query.data(), alone.data(), row});
      const auto begin = together.begin() + i * (row + 2);
      require_close(alone, {begin, begin + row}, 1e-6f);
    }
  }
}

}  // namespace
}  // namespace kernels::test
