#include "app/gui/workbench/device_choice.hpp"

#include <catch2/catch_test_macros.hpp>

#include "app/gui/panels/prompt_form.hpp"
#include "app/gui/shell/machine_facts.hpp"

using namespace app::gui;

namespace {

engine::GpuSurvey two_gpus() {
  engine::GpuSurvey survey;
  survey.built = survey.present = true;
  survey.devices.resize(2);
  survey.devices[0].name = "Old GPU";
  survey.devices[0].reason = "its compute capability is 7.0";
  survey.devices[1].index = 1;
  survey.devices[1].name = "New GPU";
  return survey;
}

engine::GpuSurvey no_gpu() {
  engine::GpuSurvey survey;
  survey.reason = "no NVIDIA driver: libcuda.so.1: cannot open shared object file";
  return survey;
}

}  // namespace

TEST_CASE("Device choices are automatic, the CPU and every GPU, with the reason where one cannot be used") {
  const auto choices = device_choices(two_gpus(), "auto");
  REQUIRE(choices.size() == 4);
  CHECK(choices[0].device == "auto");
  CHECK(choices[0].title == "automatic: the GPU");
  CHECK(choices[1].device == "cpu");
  CHECK(choices[2].device == "cuda:0");
  CHECK(choices[2].title == "GPU 0: Old GPU");
  CHECK(choices[2].reason == "its compute capability is 7.0");
  CHECK(choices[3].device == "cuda:1");
  CHECK(choices[3].reason.empty());
}

TEST_CASE("Device choices on a machine without a GPU are the CPU, and what was preferred before is named") {
  CHECK(device_choices(no_gpu(), "auto").size() == 2);
  CHECK(device_choices(no_gpu(), "auto")[0].title == "automatic: the CPU");
  const auto choices = device_choices(no_gpu(), "cuda:1");
  REQUIRE(choices.size() == 3);
  CHECK(choices[2].device == "cuda:1");
  CHECK(choices[2].reason == no_gpu().reason);
  CHECK(device_choices(two_gpus(), "cuda:9").back().reason == "there is no such GPU");
  CHECK(device_choices(two_gpus(), "cuda").back().reason.empty());  // the first one
}

TEST_CASE("Nothing is profiled without a GPU, and the reason says so") {
  CHECK(no_profiling_reason(two_gpus(), {}).empty());
  CHECK(no_profiling_reason(two_gpus(), {"cpu", "light", false}) == "the CPU's operations are always timed");
  CHECK(no_profiling_reason(no_gpu(), {}) == no_gpu().reason);
}

TEST_CASE("Preferences become a run's options, and on the CPU none of a GPU's are left") {
  PromptForm form;
  form.prompt = "Tell me.";
  const auto options = to_run_options(form, {"cuda:1", "detailed", true});
  REQUIRE(options);
  CHECK(options->device.device == "cuda:1");
  CHECK(options->profile == "detailed");
  CHECK(options->measure_cost);
  CHECK_FALSE(to_run_options(form, {"auto", "off", true})->measure_cost);
  const app::RunOptions cpu = on_cpu(*options);
  CHECK(cpu.device.device == "cpu");
  CHECK_FALSE(cpu.profile);
  CHECK_FALSE(cpu.measure_cost);
  CHECK(cpu.prompt.text == "Tell me.");
  CHECK(app::session_options(cpu));
  CHECK(app::session_options(*to_run_options(form, {"cpu", "detailed", true})));
  app::RunOptions profiled = *options;  // --profile, where the settings say the CPU
  apply({"cpu", "light", false}, profiled);
  CHECK(app::session_options(profiled));
}

TEST_CASE("Machine facts say what kernels are timed with, or why they are not") {
  const MachineFact found = cupti_fact(two_gpus(), {"13.0.1", "/opt/libcupti.so.13", {}});
  CHECK(found.ready);
  CHECK(found.text.find("13.0.1, /opt/libcupti.so.13") != std::string::npos);
  const MachineFact held = cupti_fact(two_gpus(), {{}, {}, "held by Nsight"});
  CHECK_FALSE(held.ready);
  CHECK(held.text.find("held by Nsight") != std::string::npos);
  const MachineFact none = cupti_fact(no_gpu(), {});
  CHECK_FALSE(none.ready);
  CHECK(none.text.find("Needs a GPU") != std::string::npos);
}
