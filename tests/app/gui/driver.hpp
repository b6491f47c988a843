// The application as gui_tests drive it.
#pragma once

#include <memory>

#include "app/gui/shell/application.hpp"

struct ImGuiTestEngine;

namespace gui_tests {

class Driver {
 public:
  explicit Driver(app::gui::Host& host) {
    app::gui::ApplicationOptions options;
    options.settings.native_dialogs = false;
    application_ = std::make_unique<app::gui::Application>(host, bench_, std::move(options));
  }
  app::gui::Application& application() { return *application_; }
  app::gui::Workbench& bench() { return bench_; }
  void end() { application_.reset(); }

 private:
  app::gui::Workbench bench_{{}};
  std::unique_ptr<app::gui::Application> application_;
};

void register_shell_tests(ImGuiTestEngine* engine, Driver& driver);

}  // namespace gui_tests
