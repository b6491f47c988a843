// A host that draws into memory: GLFW's null platform and an EGL context without a surface (Mesa's llvmpipe
// where there is no GPU). Input is what the caller feeds to Dear ImGui.
#pragma once

#include "app/gui/host/gl.hpp"
#include "app/gui/host/glfw_session.hpp"
#include "app/gui/host/host.hpp"

namespace app::gui {

class OffscreenHost : public Host {
 public:
  static engine::Result<std::unique_ptr<Host>> create(const HostOptions& options);
  ~OffscreenHost() override;
  engine::Result<Image> read_pixels() override;

 private:
  OffscreenHost(std::unique_ptr<GlfwSession> session, GLFWwindow* window, const Gl& gl,
                const HostOptions& options);
  bool make_framebuffer();
  void new_platform_frame() override;
  void render() override;

  std::unique_ptr<GlfwSession> session_;
  GLFWwindow* window_;
  Gl gl_;
  int width_;
  int height_;
  unsigned framebuffer_ = 0;
  unsigned renderbuffer_ = 0;
};

// Reads the bound framebuffer; OpenGL's rows start at the bottom.
Image read_framebuffer(const Gl& gl, int width, int height);
// "OpenGL 4.5, llvmpipe" of the current context; `software` says whether the processor draws.
std::string describe_renderer(const Gl& gl, bool& software);

}  // namespace app::gui
