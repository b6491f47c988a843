// The application as gui_tests drive it: a fresh one for each group of tests, on a host without OpenGL.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "app/gui/shell/application.hpp"

struct ImGuiTestContext;
struct ImGuiTestEngine;

namespace gui_tests {

class Driver {
 public:
  Driver(app::gui::Host& host, ImGuiTestEngine* engine, const char* group);

  app::gui::Application& application() { return *application_; }
  app::gui::Workbench& bench() { return bench_; }
  app::gui::Host& host() { return host_; }
  void run(const char* command) { application_->commands().run(command); }
  void end() { application_.reset(); }

  // A test of this group.
  void add(const char* name, void (*body)(ImGuiTestContext*, Driver&));

  // Opens a trace and comes back when all of it is shown in `layout`, the first-start card away; with the
  // path left out, the sample's.
  void open_trace(ImGuiTestContext* context, const char* layout,
                  std::filesystem::path trace = sample_trace());
  static std::filesystem::path sample_trace();

  // Draws frames until `reached`; a check of the test fails where that takes longer than `seconds`.
  static void wait(ImGuiTestContext* context, double seconds, const std::function<bool()>& reached);

 private:
  app::gui::Host& host_;
  ImGuiTestEngine* engine_;
  const char* group_;
  app::gui::Workbench bench_{{}};
  std::unique_ptr<app::gui::Application> application_;
};

// Every group; a file each, named <group>_driver_test.cpp.
void add_cost_tests(Driver& driver);
void add_gpu_tests(Driver& driver);
void add_inspect_tests(Driver& driver);
void add_live_tests(Driver& driver);
void add_notices_tests(Driver& driver);
void add_onboarding_tests(Driver& driver);
void add_shell_tests(Driver& driver);

struct Group {
  const char* name;
  void (*add)(Driver&);
};

}  // namespace gui_tests
