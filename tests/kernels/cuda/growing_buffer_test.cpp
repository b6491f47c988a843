#include "kernels/cuda/growing_buffer.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <utility>
#include <vector>

#include "tests/kernels/cuda/support.hpp"

namespace kernels::cuda::test {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::vector<std::uint8_t> content(const GrowingBuffer& buffer, std::size_t first, std::size_t count,
                                  const Stream& stream) {
  std::vector<std::uint8_t> bytes(count);
  copy_async(bytes.data(), buffer.data() + first, count, stream.get());
  stream.synchronize();
  return bytes;
}

bool all_are(const std::vector<std::uint8_t>& bytes, std::uint8_t value) {
  return std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t byte) { return byte == value; });
}

TEST_CASE("a buffer that grows keeps its address and what is in it", "[cuda][growing]") {
  const Device device;
  const Stream stream;
  GrowingBuffer buffer(64 * kMiB);
  const std::byte* address = buffer.data();
  REQUIRE(address != nullptr);
  REQUIRE(buffer.reserved_bytes() >= 64 * kMiB);
  std::vector<std::size_t> ends = {0};
  for (const std::size_t bytes : {std::size_t{1}, 3 * kMiB, 10 * kMiB + 5, 40 * kMiB}) {
    buffer.grow(bytes);
    REQUIRE(buffer.data() == address);
    REQUIRE(buffer.bytes() >= bytes);
    const std::size_t first = ends.back();
    fill_bytes_async(buffer.data() + first, static_cast<unsigned char>(ends.size()), buffer.bytes() - first,
                     stream.get());
    stream.synchronize();
    ends.push_back(buffer.bytes());
  }
  for (std::size_t piece = 1; piece < ends.size(); ++piece) {
    CAPTURE(piece);
    const std::size_t count = ends[piece] - ends[piece - 1];
    CHECK(all_are(content(buffer, ends[piece - 1], count, stream), static_cast<std::uint8_t>(piece)));
  }
}

TEST_CASE("a copy crosses the pieces that a buffer grew by", "[cuda][growing]") {
  const Device device;
  const Stream stream;
  GrowingBuffer buffer(32 * kMiB);
  for (const std::size_t bytes : {std::size_t{1}, 5 * kMiB, 9 * kMiB}) buffer.grow(bytes);
  std::vector<std::uint8_t> values(buffer.bytes());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i * 31 + i / 4096);
  copy_async(buffer.data(), values.data(), values.size(), stream.get());
  CHECK(content(buffer, 0, values.size(), stream) == values);
}

TEST_CASE("to grow by nothing takes no memory, and beyond what is reserved is refused", "[cuda][growing]") {
  const Device device;
  GrowingBuffer buffer(8 * kMiB);
  buffer.grow(3 * kMiB);
  const std::size_t before = buffer.bytes();
  buffer.grow(before);
  buffer.grow(1);
  CHECK(buffer.bytes() == before);
  REQUIRE_THROWS_AS(buffer.grow(buffer.reserved_bytes() + 1), CudaError);
  CHECK(buffer.bytes() == before);
  buffer.grow(buffer.reserved_bytes());
  CHECK(buffer.bytes() == buffer.reserved_bytes());
}

TEST_CASE("a buffer that grows changes owners with all of its pieces", "[cuda][growing]") {
  const Device device;
  const Stream stream;
  GrowingBuffer first(16 * kMiB);
  first.grow(kMiB);
  first.grow(4 * kMiB);
  const std::byte* address = first.data();
  GrowingBuffer second(std::move(first));
  CHECK(first.data() == nullptr);
  CHECK(second.data() == address);
  second.grow(8 * kMiB);
  fill_bytes_async(second.data(), 7, second.bytes(), stream.get());
  CHECK(all_are(content(second, 0, second.bytes(), stream), 7));
}

TEST_CASE("more addresses than memory can be reserved where the device grows", "[cuda][growing]") {
  const Device device;
  if (!can_grow()) SKIP("this driver maps no memory to reserved addresses");
  const Stream stream;
  const auto total = static_cast<std::size_t>(memory_info().total_bytes);
  GrowingBuffer buffer(4 * total);
  buffer.grow(kMiB);
  const std::size_t before = buffer.bytes();
  try {
    buffer.grow(2 * total);
    FAIL("twice the memory of the GPU");
  } catch (const CudaError& error) {
    CHECK(error.out_of_memory());
    CHECK_FALSE(error.sticky());
  }
  CHECK(buffer.bytes() == before);
  buffer.grow(before + kMiB);
  fill_bytes_async(buffer.data(), 9, buffer.bytes(), stream.get());
  CHECK(all_are(content(buffer, 0, buffer.bytes(), stream), 9));
}

}  // namespace
}  // namespace kernels::cuda::test
