#include "tests/app/gui/driver.hpp"

#include <imgui.h>
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include <chrono>
#include <thread>
#include <utility>

namespace gui_tests {

namespace fs = std::filesystem;

Driver::Driver(app::gui::Host& host, ImGuiTestEngine* engine, const char* group)
    : host_(host), engine_(engine), group_(group) {
  app::gui::ApplicationOptions options;
  options.settings.native_dialogs = false;
  application_ = std::make_unique<app::gui::Application>(host, bench_, std::move(options));
}

void Driver::add(const char* name, void (*body)(ImGuiTestContext*, Driver&)) {
  ImGuiTest* test = IM_REGISTER_TEST(engine_, group_, name);
  test->TestFunc = [this, body](ImGuiTestContext* context) { body(context, *this); };
}

void Driver::open_trace(ImGuiTestContext* context, const char* layout, fs::path trace) {
  bench_.open_trace(trace);
  wait(context, 60, [&] {
    return bench_.trace() != nullptr && bench_.trace()->state == app::live::TraceState::finished &&
           bench_.has_run() && bench_.run().finished();
  });
  application_->set_layout(layout);
  run("view.reset_layout");
  context->Yield(4);
}

fs::path Driver::sample_trace() {
  return fs::path(DMSCOPE_TESTS_DIR).parent_path() / "assets/sample/needle.db";
}

void Driver::wait(ImGuiTestContext* context, double seconds, const std::function<bool()>& reached) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!context->IsError() && !reached()) {
    if (std::chrono::steady_clock::now() > end) {
      IM_ERRORF("what was waited for did not come in %.0f s", seconds);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    context->Yield();
  }
}

}  // namespace gui_tests
