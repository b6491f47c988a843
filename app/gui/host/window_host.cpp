#include "app/gui/host/window_host.hpp"

#include <GLFW/glfw3.h>
#include <imgui.h>
#include <imgui_impl_glfw.h>
#include <imgui_impl_opengl3.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cstdlib>

#include "app/gui/host/offscreen_host.hpp"

namespace app::gui {

namespace {

// Nothing is drawn while idle; this only bounds how long a missed wake-up could go unnoticed.
constexpr double kIdleWait = 1.0;
// Below this a window cannot hold the step number, the scrubber and one panel.
constexpr int kMinWidth = 640, kMinHeight = 400;

bool names_display() {
  const auto is_set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && value[0] != '\0';
  };
  return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") || is_set("WAYLAND_SOCKET");
}

engine::Error no_display(const std::string& reason) {
  if (!names_display()) {
    return engine::failed(
        "there is no display for the window (neither WAYLAND_DISPLAY nor DISPLAY is set); 'dmscope record' "
        "and "
        "'dmscope shot' work without one");
  }
  return engine::failed(
      "the display could not be opened ({}); 'dmscope record' and 'dmscope shot' work without one", reason);
}

engine::Error no_opengl(const std::string& reason) {
  return engine::failed(
      "the window needs OpenGL 3.3 ({}); install a driver (Debian and Ubuntu: libgl1 and libgl1-mesa-dri); "
      "'dmscope "
      "record' works without one",
      reason);
}

GLFWwindow* open_window(const HostOptions& options, int context_api) {
  hint_opengl33();
  glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
  glfwWindowHint(GLFW_CONTEXT_CREATION_API, context_api);
  glfwWindowHintString(GLFW_X11_CLASS_NAME, "dmscope");
  glfwWindowHintString(GLFW_WAYLAND_APP_ID, "dmscope");
  return glfwCreateWindow(options.width, options.height, options.title.c_str(), nullptr, nullptr);
}

}  // namespace

engine::Result<std::unique_ptr<Host>> WindowHost::create(const HostOptions& options) {
  if (!names_display())
    return no_display("");  // asking anyway makes the Wayland library write to standard error
  auto session = GlfwSession::start(GLFW_ANY_PLATFORM);
  if (!session) return no_display(session.error().message);
  GLFWwindow* window = open_window(options, GLFW_NATIVE_CONTEXT_API);
  if (window == nullptr) {
    const std::string reason = GlfwSession::last_complaint();
    window = open_window(options, GLFW_EGL_CONTEXT_API);  // an X server without GLX
    if (window == nullptr) return no_opengl(reason);
  }
  glfwMakeContextCurrent(window);
  Gl gl;
  if (!gl.load()) return no_opengl("a function of it is missing");
  bool software = false;
  const std::string renderer = describe_renderer(gl, software);
  std::unique_ptr<WindowHost> host(new WindowHost(std::move(*session), window, gl, software));
  host->renderer_ = renderer;
  host->install_callbacks();
  if (!ImGui_ImplGlfw_InitForOpenGL(window, true)) return no_opengl("no input from the window");
  if (!ImGui_ImplOpenGL3_Init("#version 330")) return no_opengl("it could not be loaded");
  glfwSwapInterval(software ? 0 : 1);
  return std::unique_ptr<Host>(std::move(host));
}

WindowHost::WindowHost(std::unique_ptr<GlfwSession> session, GLFWwindow* window, const Gl& gl, bool software)
    : Host(HostKind::window, software), session_(std::move(session)), window_(window), gl_(gl) {}

WindowHost::~WindowHost() {
  if (ImGui::GetIO().BackendRendererUserData != nullptr) ImGui_ImplOpenGL3_Shutdown();
  if (ImGui::GetIO().BackendPlatformUserData != nullptr) ImGui_ImplGlfw_Shutdown();
  destroy_imgui();
  glfwDestroyWindow(window_);
}

void WindowHost::install_callbacks() {
  glfwSetWindowUserPointer(window_, this);
  glfwSetWindowSizeLimits(window_, kMinWidth, kMinHeight, GLFW_DONT_CARE, GLFW_DONT_CARE);
  glfwSetWindowRefreshCallback(window_, [](GLFWwindow* window) {
    static_cast<WindowHost*>(glfwGetWindowUserPointer(window))->pacer_.input();
  });
  glfwSetFramebufferSizeCallback(window_, [](GLFWwindow* window, int, int) {
    static_cast<WindowHost*>(glfwGetWindowUserPointer(window))->pacer_.input();
  });
  glfwSetDropCallback(window_, [](GLFWwindow* window, int count, const char** paths) {
    auto* host = static_cast<WindowHost*>(glfwGetWindowUserPointer(window));
    host->pacer_.input();
    if (host->on_files_dropped) host->on_files_dropped(std::vector<std::string>(paths, paths + count));
  });
}

bool WindowHost::is_drawable() const {
  int width = 0, height = 0;
  glfwGetFramebufferSize(window_, &width, &height);
  return width > 0 && height > 0 && glfwGetWindowAttrib(window_, GLFW_ICONIFIED) == GLFW_FALSE;
}

bool WindowHost::wait_for_frame() {
  while (glfwWindowShouldClose(window_) == GLFW_FALSE) {
    const double wait = std::min(kIdleWait, pacer_.due() - clock_seconds());
    if (wait <= 0) {
      glfwPollEvents();
    } else {
      glfwWaitEventsTimeout(wait);
    }
    if (woken_.exchange(false)) pacer_.request_frames(1);
    if (!ImGui::GetCurrentContext()->InputEventsQueue.empty()) pacer_.input();
    if (!is_drawable()) {
      glfwWaitEventsTimeout(kIdleWait);  // minimised or resized to nothing
      continue;
    }
    if (pacer_.due() <= clock_seconds()) return true;
  }
  return false;
}

void WindowHost::wake() {
  woken_ = true;
  glfwPostEmptyEvent();
}

void WindowHost::request_close() {
  glfwSetWindowShouldClose(window_, GLFW_TRUE);
}

void WindowHost::set_title(const std::string& title) {
  glfwSetWindowTitle(window_, title.c_str());
}

float WindowHost::content_scale() const {
  float x = 1, y = 1;
  glfwGetWindowContentScale(window_, &x, &y);
  int framebuffer = 0, logical = 0, ignored = 0;
  glfwGetFramebufferSize(window_, &framebuffer, &ignored);
  glfwGetWindowSize(window_, &logical, &ignored);
  // Wayland gives sizes in logical units and scales the framebuffer: Dear ImGui then works in logical units,
  // and counting the scale twice is what makes text blurred and too big.
  const float applied = logical > 0 ? static_cast<float>(framebuffer) / static_cast<float>(logical) : 1;
  return std::clamp(x / std::max(applied, 0.1F), 0.5F, 4.0F);
}

void WindowHost::new_platform_frame() {
  ImGui_ImplOpenGL3_NewFrame();
  ImGui_ImplGlfw_NewFrame();
}

void WindowHost::render() {
  int width = 0, height = 0;
  glfwGetFramebufferSize(window_, &width, &height);
  gl_.viewport(0, 0, width, height);
  gl_.clear_color(0, 0, 0, 1);
  gl_.clear(Gl::kColorBufferBit);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  glfwSwapBuffers(window_);
}

engine::Result<Image> WindowHost::read_pixels() {
  int width = 0, height = 0;
  glfwGetFramebufferSize(window_, &width, &height);
  if (width <= 0 || height <= 0) return engine::failed("the window has no pixels to copy");
  // After the swap the back buffer is undefined: the same frame is drawn again.
  gl_.viewport(0, 0, width, height);
  gl_.clear(Gl::kColorBufferBit);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  return read_framebuffer(gl_, width, height);
}

}  // namespace app::gui
