#include "kernels/cpu/read_ceiling.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

namespace kernels {
namespace {

TEST_CASE("the read ceiling is a rate that memory can have, and says how it was reached", "[ceiling]") {
  const std::vector<std::byte> buffer(8u << 20, std::byte{1});
  for (const int threads : {1, 2}) {
    ThreadPool pool(threads);
    const ReadCeiling ceiling = measure_read_ceiling(pool, buffer, 2);
    REQUIRE(ceiling.gigabytes_per_second > 0.01);
    REQUIRE(ceiling.gigabytes_per_second < 5000);
    REQUIRE(ceiling.variant.find("per thread") != std::string::npos);
  }
}

}  // namespace
}  // namespace kernels
