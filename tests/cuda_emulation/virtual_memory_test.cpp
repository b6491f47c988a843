// What the emulated driver forbids, and that the program gives back all it maps.
#include <cuda.h>

#include <catch2/catch_test_macros.hpp>

#include "kernels/cuda/growing_buffer.hpp"
#include "tests/cuda_emulation/control.hpp"

namespace kernels::cuda::test {
namespace {

constexpr std::size_t kKiB = std::size_t{1} << 10;

struct FreshDevice {
  FreshDevice() { cuda_emulation::recover(); }
  ~FreshDevice() { cuda_emulation::recover(); }
};

CUmemAllocationProp on_device() {
  return {CU_MEM_ALLOCATION_TYPE_PINNED, {CU_MEM_LOCATION_TYPE_DEVICE, 0}};
}

TEST_CASE("memory mapped to reserved addresses is counted, and given back", "[emulation]") {
  const FreshDevice device;
  const auto before = cuda_emulation::usage();
  {
    const Stream stream;
    GrowingBuffer buffer(1024 * kKiB);
    CHECK(cuda_emulation::usage().device_bytes == before.device_bytes);
    CHECK(cuda_emulation::usage().allocations == before.allocations + 1);
    buffer.grow(1);
    CHECK(cuda_emulation::usage().device_bytes == before.device_bytes + 64 * kKiB);
    buffer.grow(130 * kKiB);
    CHECK(cuda_emulation::usage().device_bytes == before.device_bytes + 192 * kKiB);
    // Still under way when the memory goes.
    fill_bytes_async(buffer.data(), 1, buffer.bytes(), stream.get());
  }
  CHECK(cuda_emulation::usage().device_bytes == before.device_bytes);
  CHECK(cuda_emulation::usage().allocations == before.allocations);
  CHECK(cuda_emulation::last_fault().empty());
}

TEST_CASE("growth that the device refuses leaves memory and counts as they were", "[emulation]") {
  const FreshDevice device;
  GrowingBuffer buffer(4096 * kKiB);
  buffer.grow(64 * kKiB);
  const auto before = cuda_emulation::usage();
  cuda_emulation::control().memory_bytes = before.device_bytes + 100 * kKiB;
  try {
    buffer.grow(1024 * kKiB);
    FAIL("memory that is not there");
  } catch (const CudaError& error) {
    CHECK(error.out_of_memory());
  }
  CHECK(cuda_emulation::usage().device_bytes == before.device_bytes);
  buffer.grow(128 * kKiB);
  CHECK(buffer.bytes() == 128 * kKiB);
}

TEST_CASE("a driver without virtual memory, or that only says it has it, gives all of a buffer at once",
          "[emulation]") {
  const FreshDevice device;
  SECTION("it lacks the functions") {
    cuda_emulation::control().virtual_memory = false;
  }
  SECTION("it refuses to map") {
    cuda_emulation::control().maps_memory = false;
  }
  const auto before = cuda_emulation::usage();
  CHECK_FALSE(can_grow());
  CHECK(cuda_emulation::usage().allocations == before.allocations);
  CHECK(cuda_emulation::usage().device_bytes == before.device_bytes);
  {
    GrowingBuffer buffer(1000);
    CHECK(cuda_emulation::usage().device_bytes == before.device_bytes + 1000);
    CHECK(buffer.bytes() == 0);
    buffer.grow(10);
    CHECK(buffer.bytes() == 10);
    CHECK_THROWS_AS(buffer.grow(1001), CudaError);
  }
  CHECK(cuda_emulation::usage().device_bytes == before.device_bytes);
}

TEST_CASE("a copy beyond the memory behind reserved addresses is a fault", "[emulation]") {
  const FreshDevice device;
  const Stream stream;
  GrowingBuffer buffer(256 * kKiB);
  buffer.grow(64 * kKiB);
  fill_bytes_async(buffer.data(), 0, 64 * kKiB + 1, stream.get());
  CHECK_THROWS_AS(stream.synchronize(), CudaError);
  CHECK(cuda_emulation::last_fault().find("beyond the memory behind reserved") != std::string::npos);
}

TEST_CASE("virtual memory that is used against its rules is refused", "[emulation]") {
  const FreshDevice device;
  const CUmemAllocationProp properties = on_device();
  const CUmemAccessDesc access{properties.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  constexpr std::size_t kPiece = 64 * kKiB;
  CUdeviceptr address = 0;
  REQUIRE(cuMemAddressReserve(&address, 2 * kPiece, 0, 0, 0) == CUDA_SUCCESS);
  CUmemGenericAllocationHandle piece = 0;
  CHECK(cuMemCreate(&piece, kPiece + 1, &properties, 0) == CUDA_ERROR_INVALID_VALUE);  // no whole granules
  REQUIRE(cuMemCreate(&piece, kPiece, &properties, 0) == CUDA_SUCCESS);
  CHECK(cuMemSetAccess(address, kPiece, &access, 1) == CUDA_ERROR_INVALID_VALUE);          // nothing mapped
  CHECK(cuMemMap(address + 2 * kPiece, kPiece, 0, piece, 0) == CUDA_ERROR_INVALID_VALUE);  // beyond it
  REQUIRE(cuMemMap(address, kPiece, 0, piece, 0) == CUDA_SUCCESS);
  CHECK(cuMemMap(address, kPiece, 0, piece, 0) == CUDA_ERROR_INVALID_VALUE);  // taken
  CHECK(cuMemAddressFree(address, 2 * kPiece) == CUDA_ERROR_INVALID_VALUE);   // still mapped
  CHECK(cuMemUnmap(address, 2 * kPiece) == CUDA_ERROR_INVALID_VALUE);         // not as it was mapped
  CHECK(cuMemRelease(piece) == CUDA_SUCCESS);
  CHECK(cuMemRelease(piece) == CUDA_ERROR_INVALID_VALUE);  // twice
  CHECK(cuMemUnmap(address, kPiece) == CUDA_SUCCESS);
  CHECK(cuMemAddressFree(address, 2 * kPiece) == CUDA_SUCCESS);
}

}  // namespace
}  // namespace kernels::cuda::test
