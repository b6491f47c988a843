#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "profiling/gpu/gpu_counters.hpp"
#include "profiling/gpu/gpu_tools.hpp"
#include "profiling/gpu/nvml_lib.hpp"

using namespace profiling;

TEST_CASE("NvmlLib, reads what the library tells") {
  auto nvml = NvmlLib::open(DMSCOPE_MOCK_NVML);
  if (!nvml) FAIL(nvml.error().message);
  CHECK(nvml->device_count() == 1);
  NvmlDevice* const device = nvml->device_of("GPU-mock");
  REQUIRE(device != nullptr);
  CHECK(nvml->device_of("GPU-other") == nullptr);
  CHECK(nvml->device(3) == nullptr);
  CHECK(nvml->name(device) == "Mock GPU");
  const NvmlReading reading = nvml->read(device);
  CHECK(reading.memory_used_bytes == 3e9);
  CHECK(reading.power_watts == 350.5);
  CHECK(reading.sm_clock_mhz == 1980);
  CHECK_FALSE(reading.memory_clock_mhz);  // this one refuses
  CHECK(reading.gpu_percent == 97);
  CHECK(reading.memory_percent == 61);
}

TEST_CASE("GpuCounters, sample ten times a second at most") {
  GpuCounters counters(DMSCOPE_MOCK_NVML);
  counters.watch({{2, "given name", "GPU-mock"}});
  REQUIRE(counters.names().size() == 1);
  CHECK(counters.names()[0].name == "given name");
  std::vector<engine::CounterSample> samples;
  for (std::int64_t ms = 0; ms < 1'000; ms += 10)
    counters.sample(1'000'000'000 + ms * 1'000'000, 1'000'000'000, samples);
  CHECK(samples.size() == 50);  // five quantities that can be read
  CHECK(samples[0].device == 2);
  CHECK(samples[0].track == "memory used");
  CHECK(samples[0].unit == "bytes");
  CHECK(samples.back().time_ns == 900'000'000);
}

TEST_CASE("GpuCounters, watch the only GPU where none is named, and none where one is not found") {
  GpuCounters only(DMSCOPE_MOCK_NVML);
  only.watch({});
  REQUIRE(only.names().size() == 1);
  CHECK(only.names()[0].device == 0);
  CHECK(only.names()[0].name == "Mock GPU");
  GpuCounters other(DMSCOPE_MOCK_NVML);
  other.watch({{0, "x", "GPU-other"}});
  CHECK(other.names().empty());
}

TEST_CASE("GpuCounters, without the library there are none") {
  CHECK_FALSE(NvmlLib::open("/nonexistent/libnvidia-ml.so"));
  GpuCounters counters("/nonexistent/libnvidia-ml.so");
  counters.watch({});
  std::vector<engine::CounterSample> samples;
  counters.sample(1'000'000'000, 0, samples);
  CHECK(samples.empty());
}

TEST_CASE("find_nvml, says which library there is, or why there is none") {
  const GpuTool found = find_nvml(DMSCOPE_MOCK_NVML);
  CHECK(found.reason.empty());
  CHECK(found.version == "13.580.65");
  CHECK(found.path.find("mock_nvml") != std::string::npos);
  const GpuTool missing = find_nvml("/nonexistent/libnvidia-ml.so.1");
  CHECK(missing.reason.find("/nonexistent/libnvidia-ml.so.1") != std::string::npos);
  CHECK(missing.version.empty());
}
