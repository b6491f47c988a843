// gui_tests GROUP: drives the application through Dear ImGui's test engine on a host without OpenGL. Exit
// status 0 only if every test of the group ran and passed.
#include <imgui.h>
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include <algorithm>
#include <array>
#include <cfloat>
#include <cstdio>
#include <string_view>

#include "tests/app/gui/driver.hpp"

namespace {

constexpr std::array kGroups{
    gui_tests::Group{"cost", gui_tests::add_cost_tests},
    gui_tests::Group{"gpu", gui_tests::add_gpu_tests},
    gui_tests::Group{"inspect", gui_tests::add_inspect_tests},
    gui_tests::Group{"live", gui_tests::add_live_tests},
    gui_tests::Group{"notices", gui_tests::add_notices_tests},
    gui_tests::Group{"onboarding", gui_tests::add_onboarding_tests},
    gui_tests::Group{"shell", gui_tests::add_shell_tests},
};
constexpr int kMaxFrames = 200000;  // a test that hangs fails

const gui_tests::Group* group_named(std::string_view name) {
  const auto found = std::find_if(kGroups.begin(), kGroups.end(),
                                  [&](const gui_tests::Group& group) { return name == group.name; });
  return found == kGroups.end() ? nullptr : &*found;
}

int report(ImGuiTestEngine* engine) {
  ImVector<ImGuiTest*> tests;
  ImGuiTestEngine_GetTestList(engine, &tests);
  int bad = 0;
  for (const ImGuiTest* test : tests) {
    const bool passed = test->Output.Status == ImGuiTestStatus_Success;
    std::printf("%s %s/%s\n", passed ? "passed" : "FAILED", test->Category.c_str(), test->Name.c_str());
    if (!passed) {
      ++bad;
      std::printf("%s\n", test->Output.Log.Buffer.c_str());
    }
  }
  std::printf("%d of %d failed or did not run\n", bad, tests.Size);
  return bad == 0 && !tests.empty() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const gui_tests::Group* group = count == 2 ? group_named(arguments[1]) : nullptr;
  if (group == nullptr) {
    std::printf("usage: gui_tests GROUP\n");
    return 2;
  }
  app::gui::HostOptions options;
  options.kind = app::gui::HostKind::null;
  auto host = app::gui::Host::create(options);
  if (!host) {
    std::printf("%s\n", host.error().message.c_str());
    return 1;
  }
  ImGuiTestEngine* engine = ImGuiTestEngine_CreateContext();
  gui_tests::Driver driver(**host, engine, group->name);
  ImGuiTestEngineIO& io = ImGuiTestEngine_GetIO(engine);
  io.ConfigRunSpeed = ImGuiTestRunSpeed_Fast;
  io.ConfigVerboseLevelOnError = ImGuiTestVerboseLevel_Info;
  io.ConfigNoThrottle = true;
  io.ConfigWatchdogWarning = io.ConfigWatchdogKillTest = FLT_MAX;  // counts frames; Driver::wait has seconds
  group->add(driver);
  ImGuiTestEngine_Start(engine, ImGui::GetCurrentContext());
  ImGuiTestEngine_QueueTests(engine, ImGuiTestGroup_Tests, nullptr, ImGuiTestRunFlags_RunFromCommandLine);
  for (int frame = 0; frame < kMaxFrames && !ImGuiTestEngine_IsTestQueueEmpty(engine); ++frame) {
    driver.application().frame();
    ImGuiTestEngine_PostSwap(engine);
  }
  ImGuiTestEngine_Stop(engine);
  const int status = report(engine);
  driver.end();
  host->reset();  // the engine outlives the Dear ImGui context
  ImGuiTestEngine_DestroyContext(engine);
  return status;
}
