// A host with a window on the user's desktop (X11 or Wayland).
#pragma once

#include <atomic>

#include "app/gui/host/gl.hpp"
#include "app/gui/host/glfw_session.hpp"
#include "app/gui/host/host.hpp"

namespace app::gui {

class WindowHost : public Host {
 public:
  static engine::Result<std::unique_ptr<Host>> create(const HostOptions& options);
  ~WindowHost() override;

  bool wait_for_frame() override;
  void wake() override;
  engine::Result<Image> read_pixels() override;
  void request_close() override;
  void set_title(const std::string& title) override;
  float content_scale() const override;

 private:
  WindowHost(std::unique_ptr<GlfwSession> session, GLFWwindow* window, const Gl& gl, bool software);
  void install_callbacks();
  void new_platform_frame() override;
  void render() override;
  bool is_drawable() const;

  std::unique_ptr<GlfwSession> session_;
  GLFWwindow* window_;
  Gl gl_;
  std::atomic<bool> woken_{false};
  Image last_picture_;
};

}  // namespace app::gui
