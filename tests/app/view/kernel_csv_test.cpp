#include "app/view/kernel_csv.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/app/view/span_run.hpp"

using namespace app::view;

TEST_CASE("kernel_table_csv, has a line per row and a column per layer") {
  const auto run = view_test::span_run({{0, 100, 0, 2, 1, 1, -1, 0}, {200, 500, 0, -1, 0, 0, -1, 0}});
  const std::string csv = kernel_table_csv(kernel_table(*run, {}));
  CHECK(csv ==
        "name,device,calls,total_ns,share,mean_ns,p50_ns,p95_ns,p99_ns,bytes,gb_per_s,ceiling_share,"
        "outside_layers_ns,layer_0_ns,layer_1_ns,layer_2_ns,layer_3_ns\n"
        "qkv,-1,1,300,0.750000,300,300,300,300,,,,300,0,0,0,0\n"
        "attention,-1,1,100,0.250000,100,100,100,100,,,,0,0,0,100,0\n");
}

TEST_CASE("kernel_table_csv, tells a GPU's bytes, bandwidth and share of the copy ceiling") {
  engine::Span span{0, 1000, 0, 2, 1, 1, 0, 7};
  span.bytes = 3'000'000;
  KernelTable table = kernel_table(*view_test::span_run({span}), {});
  CHECK(kernel_table_csv(table).find(
            "\nattention,0,1,1000,1.000000,1000,1000,1000,1000,3000000,3000.000,,0,") != std::string::npos);
  table.copy_ceiling_gb_per_s = 4000;
  CHECK(kernel_table_csv(table).find(",3000000,3000.000,0.750000,0,") != std::string::npos);
}

TEST_CASE("kernel_table_csv, names with commas, quotes and line breaks stay one field") {
  KernelTable table;
  table.rows.emplace_back();
  table.rows[0].name = "gemm<8, \"a\">\nx";
  const std::string csv = kernel_table_csv(table);
  CHECK(csv.find("\n\"gemm<8, \"\"a\"\">\nx\",-1,0,") != std::string::npos);
  CHECK(kernel_table_csv({}) ==
        "name,device,calls,total_ns,share,mean_ns,p50_ns,p95_ns,p99_ns,bytes,gb_per_s,ceiling_share,"
        "outside_layers_ns\n");
}
