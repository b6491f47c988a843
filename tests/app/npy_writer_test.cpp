#include "app/npy_writer.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>

#include "tests/support/temp_folder.hpp"

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("npy header, format 1.0 with the data at a multiple of 64") {
  const std::array<std::int64_t, 2> shape{2, 3};
  const std::string header = app::npy_header("<f4", shape);
  const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
  expected += dict + std::string(128 - 10 - dict.size() - 1, ' ') + "\n";
  CHECK(header == expected);
}

TEST_CASE("npy header, one axis is a tuple of one and large shapes stay aligned") {
  const std::array<std::int64_t, 1> one{7};
  CHECK(app::npy_header("<i4", one).find("'shape': (7, ), }") != std::string::npos);
  const std::array<std::int64_t, 6> many{1'000'000'000'000, 1'000'000'000'000, 1'000'000'000'000, 1, 2, 3};
  CHECK(app::npy_header("<i4", many).size() % 64 == 0);
}

TEST_CASE("npy writer, elements follow row by row and the file appears at the end") {
  const support::TempFolder folder;
  auto writer = app::NpyWriter::create(folder / "x.npy", "<i4", {2, 2});
  REQUIRE(writer);
  const std::array<std::int32_t, 2> first{1, -2};
  const std::array<std::int32_t, 2> second{256, 0};
  REQUIRE(writer->write(std::span<const std::int32_t>(first)));
  REQUIRE(writer->write(std::span<const std::int32_t>(second)));
  CHECK_FALSE(std::filesystem::exists(folder / "x.npy"));
  REQUIRE(writer->commit());
  const std::string content = content_of(folder / "x.npy");
  REQUIRE(content.size() == 128 + 16);
  CHECK(content.substr(128) == std::string("\x01\0\0\0\xfe\xff\xff\xff\0\x01\0\0\0\0\0\0", 16));
}
