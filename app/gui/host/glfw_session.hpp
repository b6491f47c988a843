// GLFW from its initialisation to its end, and what it said when something went wrong.
#pragma once

#include <memory>
#include <string>

#include "engine/events/result.hpp"

struct GLFWwindow;

namespace app::gui {

class GlfwSession {
 public:
  // `platform` is one of GLFW's constants: any of this desktop's, or the null platform.
  static engine::Result<std::unique_ptr<GlfwSession>> start(int platform);
  ~GlfwSession();
  GlfwSession(const GlfwSession&) = delete;
  GlfwSession& operator=(const GlfwSession&) = delete;

  // What GLFW last complained about, and forgets it.
  static std::string last_complaint();

 private:
  GlfwSession() = default;
};

// Hints that both kinds of window share: OpenGL 3.3 core.
void hint_opengl33();

}  // namespace app::gui
