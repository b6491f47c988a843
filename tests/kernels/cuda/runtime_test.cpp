#include "kernels/cuda/runtime.hpp"

#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "kernels/cuda/memory_rate.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace kernels::cuda::test {
namespace {

TEST_CASE("the GPU tells what it is, and the program has kernels for it", "[cuda][runtime]") {
  const Device device;
  const DeviceInfo info = device_info(0);
  REQUIRE_FALSE(info.name.empty());
  REQUIRE(info.uuid.size() == std::string("GPU-00000000-0000-0000-0000-000000000000").size());
  REQUIRE(info.compute_major >= 8);
  REQUIRE(info.multiprocessors > 0);
  REQUIRE(info.total_bytes > 0);
  REQUIRE(driver_version() >= 13000);
  REQUIRE_NOTHROW(check_kernels_load());
}

TEST_CASE("more memory than there is gives an error that says so, and costs nothing", "[cuda][runtime]") {
  const Device device;
  const MemoryInfo before = memory_info();
  try {
    const DeviceBuffer buffer(static_cast<std::size_t>(before.total_bytes) * 2);
    FAIL("allocated");
  } catch (const CudaError& error) {
    REQUIRE(error.out_of_memory());
    REQUIRE_FALSE(error.sticky());
  }
  REQUIRE(memory_info().free_bytes >= before.free_bytes);
  REQUIRE_NOTHROW(DeviceBuffer(4096));
}

TEST_CASE("a buffer changes owners without being copied or freed twice", "[cuda][runtime]") {
  const Device device;
  DeviceBuffer first(100);
  const std::byte* address = first.data();
  DeviceBuffer second(std::move(first));
  REQUIRE(second.data() == address);
  REQUIRE(first.data() == nullptr);
  DeviceBuffer third(50);
  third = std::move(second);
  REQUIRE(third.data() == address);
  REQUIRE(third.bytes() == 100);
}

TEST_CASE("a recorded graph does its work at every launch, on what is then there", "[cuda][runtime]") {
  const Device device;
  const Stream stream;
  const auto source = upload(device, std::vector<float>(4, 1.0f));
  const DeviceArray<float> target(4);
  fill_bytes_async(target.data(), 0, 16, stream.get());
  const Graph graph = Graph::capture(stream, [&] {
    launch_copy(target.data(), source.data(), 16, stream.get());
    copy_async(source.data(), target.data(), 8, stream.get());
  });
  REQUIRE(graph);
  REQUIRE(graph.nodes() == 2);
  stream.synchronize();
  REQUIRE(download(device, target)[0] == 0.0f);  // recording runs nothing
  for (const float value : {2.0f, 3.0f}) {
    const std::vector<float> values(4, value);
    copy_async(source.data(), values.data(), 16, stream.get());
    graph.launch(stream);
    stream.synchronize();
    REQUIRE(download(device, target) == values);
  }
}

TEST_CASE("a stream waits for another's event", "[cuda][runtime]") {
  const Device device;
  const Stream first, second;
  Event written, read(Event::Timing::on), start(Event::Timing::on);
  const DeviceArray<std::int32_t> data(1000);
  PinnedArray<std::int32_t> host(1000);
  std::iota(host.span().begin(), host.span().end(), 0);
  start.record(second);
  copy_async(data.data(), host.data(), data.bytes(), first.get());
  written.record(first);
  second.wait(written);
  PinnedArray<std::int32_t> back(1000);
  copy_async(back.data(), data.data(), data.bytes(), second.get());
  read.record(second);
  read.synchronize();
  REQUIRE(read.done());
  REQUIRE(read.milliseconds_since(start) >= 0);
  REQUIRE(std::equal(host.span().begin(), host.span().end(), back.span().begin()));
  first.synchronize();
  REQUIRE(first.idle());
}

TEST_CASE("an exception while a graph is recorded leaves the stream usable", "[cuda][runtime]") {
  const Device device;
  const Stream stream;
  REQUIRE_THROWS_AS(Graph::capture(stream, [] { throw std::logic_error("no"); }), std::logic_error);
  const DeviceArray<float> data(4);
  fill_bytes_async(data.data(), 0, 16, stream.get());
  REQUIRE_NOTHROW(stream.synchronize());
}

}  // namespace
}  // namespace kernels::cuda::test
