#include "app/gui/host/host.hpp"

#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <chrono>

#include "app/gui/host/null_host.hpp"
#include "app/gui/host/offscreen_host.hpp"
#include "app/gui/host/window_host.hpp"

namespace app::gui {

double clock_seconds() {
  using Seconds = std::chrono::duration<double>;
  return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Host::Host(HostKind kind, bool software_rendering) : pacer_(software_rendering), kind_(kind) {
  IMGUI_CHECKVERSION();
  ImGui::CreateContext();
  ImPlot::CreateContext();
  ImGuiIO& io = ImGui::GetIO();
  io.ConfigFlags |= ImGuiConfigFlags_DockingEnable | ImGuiConfigFlags_NavEnableKeyboard;
  io.ConfigDpiScaleFonts = false;  // the theme scales fonts and metrics together
  io.ConfigWindowsMoveFromTitleBarOnly = true;
  io.ConfigInputTextCursorBlink = kind == HostKind::window;  // pictures must not depend on the moment
  io.IniFilename = nullptr;                                  // the layouts are saved by ourselves
  io.LogFilename = nullptr;
}

Host::~Host() {
  destroy_imgui();
}

void Host::destroy_imgui() {
  if (ImGui::GetCurrentContext() == nullptr) return;
  ImPlot::DestroyContext();
  ImGui::DestroyContext();
}

bool Host::wait_for_frame() {
  return !closing_;
}

engine::Result<Image> Host::read_pixels() {
  return engine::failed("this window draws nothing, there is no picture of it");
}

void Host::begin_frame() {
  new_platform_frame();
  frame_started_ = clock_seconds();
  ImGui::NewFrame();
}

void Host::end_frame() {
  ImGui::Render();
  last_frame_seconds_ = clock_seconds() - frame_started_;
  render();
  pacer_.frame_drawn(frame_started_, clock_seconds());
}

engine::Result<std::unique_ptr<Host>> Host::create(const HostOptions& options) {
  if (options.width < 1 || options.height < 1 || options.width > kMaxSide || options.height > kMaxSide) {
    return engine::bad_input("a picture of {} x {} pixels: expected 1 to {} each way", options.width,
                             options.height, kMaxSide);
  }
  switch (options.kind) {
    case HostKind::window:
      return WindowHost::create(options);
    case HostKind::offscreen:
      return OffscreenHost::create(options);
    case HostKind::null:
      break;
  }
  return std::unique_ptr<Host>(std::make_unique<NullHost>(options));
}

}  // namespace app::gui
