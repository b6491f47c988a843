// The application as gui_tests drive it, and what it was asked to do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/gui/shell/application.hpp"

struct ImGuiTestEngine;

namespace gui_tests {

class Driver {
 public:
  explicit Driver(app::gui::Host& host) {
    app::gui::ApplicationOptions options;
    options.settings.native_dialogs = false;
    options.actions.open_trace = [this](const std::string& path) { opened.push_back(path); };
    options.actions.run_model = [this](const std::string& folder) { ran.push_back(folder); };
    application_ = std::make_unique<app::gui::Application>(host, std::move(options));
  }
  app::gui::Application& application() { return *application_; }
  void end() { application_.reset(); }

  std::vector<std::string> opened;
  std::vector<std::string> ran;

 private:
  std::unique_ptr<app::gui::Application> application_;
};

void register_shell_tests(ImGuiTestEngine* engine, Driver& driver);

}  // namespace gui_tests
