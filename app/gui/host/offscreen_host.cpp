#include "app/gui/host/offscreen_host.hpp"

#include <GLFW/glfw3.h>
#include <imgui.h>
#include <imgui_impl_opengl3.h>

#include <algorithm>
#include <string_view>

namespace app::gui {

namespace {

engine::Error no_offscreen(const std::string& reason) {
  return engine::failed(
      "a picture without a display needs EGL with OpenGL 3.3 ({}); on Debian and Ubuntu install libegl1, "
      "libgl1 and "
      "libgl1-mesa-dri",
      reason);
}

}  // namespace

Image read_framebuffer(const Gl& gl, int width, int height) {
  Image image{width, height, {}};
  image.rgba.resize(4 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  gl.pixel_store(Gl::kPackAlignment, 1);
  gl.read_pixels(0, 0, width, height, Gl::kRgba, Gl::kUnsignedByte, image.rgba.data());
  const std::size_t stride = 4 * static_cast<std::size_t>(width);
  for (int top = 0, bottom = height - 1; top < bottom; ++top, --bottom) {
    auto* first = &image.rgba[4 * image.index(0, top)];
    std::swap_ranges(first, first + stride, &image.rgba[4 * image.index(0, bottom)]);
  }
  return image;
}

std::string describe_renderer(const Gl& gl, bool& software) {
  const auto text = [&](unsigned name) {
    const auto* value = reinterpret_cast<const char*>(gl.get_string(name));
    return std::string(value == nullptr ? "unknown" : value);
  };
  std::string version = text(Gl::kVersion);
  version = version.substr(0, version.find(' '));
  std::string renderer = text(Gl::kRenderer);
  software = renderer.find("llvmpipe") != std::string::npos ||
             renderer.find("softpipe") != std::string::npos || renderer.find("Software") != std::string::npos;
  renderer = renderer.substr(0, renderer.find(" ("));
  return "OpenGL " + version + ", " + renderer;
}

engine::Result<std::unique_ptr<Host>> OffscreenHost::create(const HostOptions& options) {
  auto session = GlfwSession::start(GLFW_PLATFORM_NULL);
  if (!session) return no_offscreen(session.error().message);
  hint_opengl33();
  glfwWindowHint(GLFW_VISIBLE, GLFW_FALSE);
  glfwWindowHint(GLFW_CONTEXT_CREATION_API, GLFW_EGL_CONTEXT_API);
  GLFWwindow* window = glfwCreateWindow(16, 16, options.title.c_str(), nullptr, nullptr);
  if (window == nullptr) return no_offscreen(GlfwSession::last_complaint());
  glfwMakeContextCurrent(window);
  Gl gl;
  if (!gl.load()) return no_offscreen("a function of OpenGL 3.3 is missing");
  std::unique_ptr<OffscreenHost> host(new OffscreenHost(std::move(*session), window, gl, options));
  if (!ImGui_ImplOpenGL3_Init("#version 330")) return no_offscreen("OpenGL could not be loaded");
  if (!host->make_framebuffer()) {
    return engine::failed("OpenGL cannot draw a picture of {} x {} pixels", options.width, options.height);
  }
  return std::unique_ptr<Host>(std::move(host));
}

OffscreenHost::OffscreenHost(std::unique_ptr<GlfwSession> session, GLFWwindow* window, const Gl& gl,
                             const HostOptions& options)
    : Host(HostKind::offscreen, true),
      session_(std::move(session)),
      window_(window),
      gl_(gl),
      width_(options.width),
      height_(options.height) {
  bool software = false;
  renderer_ = describe_renderer(gl_, software);
  pacer_ = FramePacer(software);
}

OffscreenHost::~OffscreenHost() {
  if (ImGui::GetIO().BackendRendererUserData != nullptr) ImGui_ImplOpenGL3_Shutdown();
  destroy_imgui();
  gl_.delete_framebuffers(1, &framebuffer_);
  gl_.delete_renderbuffers(1, &renderbuffer_);
  glfwDestroyWindow(window_);
}

bool OffscreenHost::make_framebuffer() {
  gl_.gen_renderbuffers(1, &renderbuffer_);
  gl_.bind_renderbuffer(Gl::kRenderbuffer, renderbuffer_);
  gl_.renderbuffer_storage(Gl::kRenderbuffer, Gl::kRgba8, width_, height_);
  gl_.gen_framebuffers(1, &framebuffer_);
  gl_.bind_framebuffer(Gl::kFramebuffer, framebuffer_);
  gl_.framebuffer_renderbuffer(Gl::kFramebuffer, Gl::kColorAttachment0, Gl::kRenderbuffer, renderbuffer_);
  return gl_.check_framebuffer_status(Gl::kFramebuffer) == Gl::kFramebufferComplete;
}

void OffscreenHost::new_platform_frame() {
  ImGui_ImplOpenGL3_NewFrame();
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = {static_cast<float>(width_), static_cast<float>(height_)};
  io.DeltaTime = static_cast<float>(FramePacer::kShortestFrame);  // pictures must not depend on the clock
}

void OffscreenHost::render() {
  gl_.bind_framebuffer(Gl::kFramebuffer, framebuffer_);
  gl_.viewport(0, 0, width_, height_);
  gl_.clear_color(0, 0, 0, 1);
  gl_.clear(Gl::kColorBufferBit);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  gl_.finish();
}

engine::Result<Image> OffscreenHost::read_pixels() {
  gl_.bind_framebuffer(Gl::kFramebuffer, framebuffer_);
  return read_framebuffer(gl_, width_, height_);
}

}  // namespace app::gui
