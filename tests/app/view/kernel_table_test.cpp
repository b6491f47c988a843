#include "app/view/kernel_table.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "tests/app/view/span_run.hpp"

using namespace app::view;
using view_test::span_run;

namespace {

// A hundred attention calls of 1..100 us, step i / 10 and layer i % 4; one mlp outside of layers.
std::vector<engine::Span> spans() {
  std::vector<engine::Span> made;
  for (std::int64_t i = 0; i < 100; ++i) {
    const std::int64_t start = i * 200'000;
    made.push_back({start, start + (i + 1) * 1000, i / 10, static_cast<std::int16_t>(i % 4), 1, 1, -1, 0});
  }
  made.push_back({30'000'000, 30'950'000, 10, -1, 2, 0, -1, 0});
  return made;
}

}  // namespace

TEST_CASE("kernel_table, sums calls and times per operation, longest first") {
  const KernelTable table = kernel_table(*span_run(spans()), {});
  REQUIRE(table.rows.size() == 2);
  const KernelRow& row = table.rows[0];
  CHECK(row.name == "attention");
  CHECK(row.operation == 1);
  CHECK(row.calls == 100);
  CHECK(row.total_ns == 5'050'000);
  CHECK(row.mean_ns == 50'500);
  CHECK(row.p50_ns == 50'000);
  CHECK(row.p95_ns == 95'000);
  CHECK(row.p99_ns == 99'000);
  CHECK(row.share == Catch::Approx(5.05 / 6.0));
  CHECK(std::accumulate(row.layer_ns.begin(), row.layer_ns.end(), std::int64_t{0}) == row.total_ns);
  CHECK(row.layer_ns[0] == 25 * 1000 + 4 * 1000 * (24 * 25 / 2));
  CHECK(table.rows[1].outside_ns == 950'000);
  CHECK(table.rows[1].p99_ns == 950'000);
  CHECK(table.total_ns == 6'000'000);
}

TEST_CASE("kernel_table, is limited to steps, times, layers of heads and a filter") {
  const auto run = span_run(spans());
  const auto calls = [&](const KernelTableOptions& options) { return kernel_table(*run, options).calls; };
  CHECK(calls({.steps = StepRange{2, 4}}) == 20);
  CHECK(calls({.times = TimeRange{0, 200'001}}) == 2);
  CHECK(calls({.heads = HeadSet::of({{1, 0}, {1, 1}})}) == 25);
  auto filter = SpanFilter::parse("dur > 50us and layer = 3");
  REQUIRE(filter);
  CHECK(calls({.filter = *filter}) == 13);
  CHECK(calls({.steps = StepRange{50, 60}}) == 0);
  CHECK(kernel_table(*run, {.steps = StepRange{50, 60}}).rows.empty());
}

TEST_CASE("kernel_table, groups by kernel and names what has no name") {
  auto odd = spans();
  odd.push_back({0, 1, 0, 99, 40, 40, -1, 0});
  const KernelTable table = kernel_table(*span_run(odd), {.by = KernelTableOptions::By::kernel});
  REQUIRE(table.rows.size() == 3);
  CHECK(table.rows[0].name == "attn_decode");
  CHECK(table.rows[2].name == "kernel 40");
  CHECK(table.rows[2].outside_ns == 1);
}

TEST_CASE("sort_rows, sorts by any column in both directions") {
  KernelTable table = kernel_table(*span_run(spans()), {});
  sort_rows(table, KernelColumn::name, false);
  CHECK(table.rows[0].name == "attention");
  sort_rows(table, KernelColumn::name, true);
  CHECK(table.rows[0].name == "mlp");
  sort_rows(table, KernelColumn::calls, true);
  CHECK(table.rows[0].name == "attention");
  sort_rows(table, KernelColumn::p50, true);
  CHECK(table.rows[0].name == "mlp");
}

TEST_CASE("kernel_table, absurd times do not overflow") {
  const std::int64_t far = INT64_MAX;
  const auto run = span_run(std::vector<engine::Span>(20, {INT64_MIN, far, 0, 0, 0, 0, -1, 0}));
  CHECK(kernel_table(*run, {}).total_ns == INT64_MAX);
}

TEST_CASE("kernel_table, knows names that came during the run and leaves launching calls out") {
  RunModel model;
  model.on_event(view_test::span_facts());
  model.on_event(engine::KernelsNamed{{"late"}});
  const engine::Span kernel{100, 200, 0, 0, 1, 2, 0, 7};
  const engine::Span launch{50, 60, 0, 0, 1, 2, -1, engine::kLaunchLane};
  const engine::Span overhead{60, 70, 0, 0, 1, 2, -1, engine::kProfilerLane};
  model.on_event(engine::SpansRecorded{{kernel, launch, overhead}});
  const KernelTable table = kernel_table(*model.snapshot(), {.by = KernelTableOptions::By::kernel});
  REQUIRE(table.rows.size() == 1);
  CHECK(table.rows[0].name == "late");
  CHECK(table.rows[0].calls == 1);
}

namespace {

engine::Span on_gpu(std::int64_t start, std::int64_t ns, std::int16_t operation, std::int64_t bytes,
                    std::int16_t device = 0) {
  engine::Span span{start, start + ns, 0, 0, operation, 1, device, 7};
  span.bytes = bytes;
  return span;
}

std::shared_ptr<const RunSnapshot> gpu_table_run(bool ceiling) {
  RunModel model;
  model.on_event(view_test::span_facts());
  if (ceiling) model.on_event(engine::ParameterChanged{0, "copy_ceiling_gb_per_s", "4000"});
  model.on_event(engine::SpansRecorded{{on_gpu(0, 1000, 0, 2'000'000), on_gpu(2000, 3000, 0, 4'000'000),
                                        on_gpu(9000, 500, 0, 0), on_gpu(10'000, 100, 1, 0),
                                        on_gpu(20'000, 10, 1, 10'000, 1)}});
  return model.snapshot();
}

}  // namespace

TEST_CASE(
    "kernel_table, tells the bandwidth over the calls whose bytes are known, and its share of copying") {
  const KernelTable table = kernel_table(*gpu_table_run(true), {});
  REQUIRE(table.rows.size() == 3);
  const KernelRow& qkv = table.rows[0];
  CHECK(qkv.calls == 3);
  CHECK(qkv.bytes_calls == 2);
  CHECK(*qkv.gb_per_s() == Catch::Approx(1500));  // 6 MB in 4 us: the third call's bytes are not known
  CHECK(*table.ceiling_share(qkv) == Catch::Approx(0.375));
  CHECK_FALSE(table.rows[1].gb_per_s());
  CHECK_FALSE(table.ceiling_share(table.rows[1]));
  CHECK(table.has_gpu);
  CHECK_FALSE(kernel_table(*gpu_table_run(false), {}).ceiling_share(qkv));
}

TEST_CASE(
    "kernel_table, rows of two devices stay apart, and a kernel has the colour of what it was mostly for") {
  const KernelTable table = kernel_table(*gpu_table_run(true), {.by = KernelTableOptions::By::kernel});
  REQUIRE(table.rows.size() == 2);
  CHECK(table.has_several);
  CHECK(table.rows[0].device == 0);
  CHECK(table.rows[0].most_spent == 0);
  CHECK(table.rows[1].device == 1);
  CHECK(table.rows[1].most_spent == 1);
}

TEST_CASE("sort_rows, by bandwidth puts what is not known last in both directions") {
  KernelTable table = kernel_table(*gpu_table_run(true), {});
  sort_rows(table, KernelColumn::gb_per_s, true);
  CHECK(table.rows[0].operation == 0);
  CHECK_FALSE(table.rows[2].gb_per_s());
  sort_rows(table, KernelColumn::gb_per_s, false);
  CHECK(table.rows[0].device == 1);
  CHECK_FALSE(table.rows[2].gb_per_s());
  sort_rows(table, KernelColumn::device, true);
  CHECK(table.rows[0].device == 1);
}
