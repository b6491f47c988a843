#include "app/gpu_report.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

TEST_CASE("GPU report, a tool is told with version and file, or with the reason against it") {
  const profiling::GpuTool found{"13.0.1", "/opt/libcupti.so.13", {}};
  CHECK(app::tool_text("CUPTI", found) == "CUPTI      13.0.1, /opt/libcupti.so.13\n");
  CHECK(app::tool_json(found)["usable"] == true);
  CHECK(app::tool_json(found)["version"] == "13.0.1");
  const profiling::GpuTool missing{{}, {}, "there is no NVIDIA driver"};
  CHECK(app::tool_text("NVML", missing) == "NVML       cannot be used: there is no NVIDIA driver\n");
  CHECK(app::tool_json(missing)["usable"] == false);
  CHECK(app::tool_json(missing)["reason"] == "there is no NVIDIA driver");
}
