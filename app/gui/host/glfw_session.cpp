#include "app/gui/host/glfw_session.hpp"

#include <GLFW/glfw3.h>

namespace app::gui {

engine::Result<std::unique_ptr<GlfwSession>> GlfwSession::start(int platform) {
  glfwInitHint(GLFW_PLATFORM, platform);
  if (glfwInit() != GLFW_TRUE) return engine::failed("{}", last_complaint());
  return std::unique_ptr<GlfwSession>(new GlfwSession());
}

GlfwSession::~GlfwSession() {
  glfwTerminate();
}

std::string GlfwSession::last_complaint() {
  const char* text = nullptr;
  glfwGetError(&text);
  return text == nullptr ? "no reason given" : text;
}

void hint_opengl33() {
  glfwDefaultWindowHints();
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
  glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
  glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
}

}  // namespace app::gui
