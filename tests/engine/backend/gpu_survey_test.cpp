// What people are told about GPUs, from hand-made probes.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "engine/backend/devices.hpp"

namespace {

using engine::architectures_serve;
using engine::GpuProbe;
using engine::GpuSurvey;
using engine::judge_gpus;

GpuProbe machine_with(int gpus) {
  GpuProbe probe;
  probe.built = true;
  probe.architectures = "80-real,90";
  probe.runtime_version = 13000;
  probe.driver_version = 13010;
  for (int i = 0; i < gpus; ++i) {
    GpuProbe::Gpu gpu;
    gpu.device.index = i;
    gpu.device.name = "Test GPU";
    gpu.device.major = 9;
    probe.gpus.push_back(gpu);
  }
  return probe;
}

bool says(const GpuSurvey& survey, std::string_view words) {
  return survey.reason.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("GpuSurvey, a machine with a usable GPU has no reason against it") {
  const GpuSurvey survey = judge_gpus(machine_with(2));
  CHECK(survey.reason.empty());
  REQUIRE(survey.devices.size() == 2);
  CHECK(survey.devices[1].index == 1);
  CHECK(survey.devices[1].reason.empty());
}

TEST_CASE("GpuSurvey, a build without a toolkit says so before anything else") {
  GpuProbe probe = machine_with(1);
  probe.built = false;
  CHECK(says(judge_gpus(probe), "this build has no CUDA backend"));
}

TEST_CASE("GpuSurvey, without a driver the library that was looked for is named") {
  GpuProbe probe = machine_with(0);
  probe.library_error = "libcuda.so.1: cannot open shared object file";
  probe.count_error = 35;  // what the runtime says then; the library is the reason
  const GpuSurvey survey = judge_gpus(probe);
  CHECK(says(survey, "no NVIDIA driver: libcuda.so.1"));
  CHECK(survey.devices.empty());
}

TEST_CASE("GpuSurvey, an old driver is told with both versions") {
  GpuProbe probe = machine_with(0);
  probe.driver_version = 12040;
  probe.count_error = 35;
  CHECK(says(judge_gpus(probe), "serves CUDA 12.4, this build needs 13.0"));
}

TEST_CASE("GpuSurvey, a driver that refuses to count is quoted, the known ways explained") {
  GpuProbe probe = machine_with(0);
  probe.count_error_text = "cudaErrorName";
  const auto [code, words] = GENERATE(table<int, const char*>({{34, "the toolkit's stub"},
                                                               {100, "CUDA_VISIBLE_DEVICES"},
                                                               {0, "sees no GPU"},
                                                               {802, "fabric manager"},
                                                               {803, "different versions"},
                                                               {999, "cudaErrorName (999)"}}));
  probe.count_error = code;
  CAPTURE(code);
  CHECK(says(judge_gpus(probe), words));
}

TEST_CASE("GpuSurvey, each unusable GPU has its own reason, and one usable GPU is enough") {
  GpuProbe probe = machine_with(4);
  probe.gpus[0].device.major = 7;
  probe.gpus[0].device.minor = 5;
  probe.gpus[1].prohibited = true;
  probe.gpus[2].error = 46;
  probe.gpus[2].error_text = "cudaErrorDevicesUnavailable";
  const GpuSurvey survey = judge_gpus(probe);
  CHECK(survey.reason.empty());
  CHECK(survey.devices[0].reason.find("7.5") != std::string::npos);
  CHECK(survey.devices[0].reason.find("80-real,90") != std::string::npos);
  CHECK(survey.devices[1].reason.find("prohibited") != std::string::npos);
  CHECK(survey.devices[2].reason.find("cudaErrorDevicesUnavailable") != std::string::npos);
  CHECK(survey.devices[3].reason.empty());
  probe.gpus.pop_back();
  CHECK(says(judge_gpus(probe), "GPU 0 (Test GPU)"));
  CHECK(says(judge_gpus(probe), "GPU 2 (Test GPU)"));
}

TEST_CASE("GpuSurvey, machine code serves later minor versions, PTX everything later") {
  const char* shipped = "80-real,86-real,89-real,90-real,100-real,120";
  CHECK(architectures_serve(shipped, 8, 0));
  CHECK(architectures_serve(shipped, 8, 7));
  CHECK(architectures_serve(shipped, 9, 0));
  CHECK(architectures_serve(shipped, 10, 3));
  CHECK(architectures_serve(shipped, 12, 1));
  CHECK(architectures_serve(shipped, 13, 0));  // through PTX
  CHECK_FALSE(architectures_serve(shipped, 7, 5));
  CHECK_FALSE(architectures_serve(shipped, 11, 0));
  CHECK_FALSE(architectures_serve("86-real", 8, 0));
  CHECK(architectures_serve("80-virtual", 9, 0));
  CHECK_FALSE(architectures_serve("90-virtual", 8, 9));
  CHECK_FALSE(architectures_serve("", 9, 0));
  CHECK_FALSE(architectures_serve("native,", 9, 0));
}

TEST_CASE("GpuSurvey, looking at this machine never fails, whatever it has") {
  const GpuSurvey survey = engine::survey_gpus();
  CHECK((survey.reason.empty() == false || survey.devices.empty() == false));
}

TEST_CASE("GpuSurvey, a GPU is present where the driver has one, usable or not") {
  CHECK(judge_gpus(machine_with(1)).present);
  GpuProbe probe = machine_with(1);
  probe.gpus.front().prohibited = true;
  CHECK(judge_gpus(probe).present);
  probe = machine_with(0);
  CHECK_FALSE(judge_gpus(probe).present);
  for (const auto& [code, present] :
       {std::pair{35, true}, {999, true}, {803, true}, {100, false}, {34, false}}) {
    CAPTURE(code);
    probe.count_error = code;
    CHECK(judge_gpus(probe).present == present);
  }
  probe.library_error = "libcuda.so.1: cannot open shared object file";
  probe.count_error = 35;
  CHECK_FALSE(judge_gpus(probe).present);
  probe = machine_with(1);
  probe.built = false;
  CHECK_FALSE(judge_gpus(probe).present);
}
