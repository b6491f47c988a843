// Where the window lives: the platform, the OpenGL context and the Dear ImGui context, created and destroyed
// together.
//
// Three kinds: a visible window (X11 or Wayland, whichever is there), an off-screen picture (no display
// needed, EGL does the drawing) and none at all (no OpenGL: for tests and measurements). Everything runs on
// the thread that created the host, except wake(). At most one host at a time: GLFW and Dear ImGui have
// global state.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/gui/host/frame_pacer.hpp"
#include "app/gui/host/image.hpp"
#include "engine/events/result.hpp"

namespace app::gui {

enum class HostKind { window, offscreen, null };

struct HostOptions {
  HostKind kind = HostKind::window;
  int width = 1600;  // pixels; of a window: pixels at 100 %
  int height = 900;
  std::string title = "DMScope";
};

class Host {
 public:
  static constexpr int kMaxSide = 16384;

  // Fails with what to do about it where there is no display or no OpenGL 3.3.
  static engine::Result<std::unique_ptr<Host>> create(const HostOptions& options);
  virtual ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Sleeps until a frame is due, handling input on the way. False when the window was closed.
  virtual bool wait_for_frame();
  void begin_frame();
  // Renders what was drawn since begin_frame.
  void end_frame();
  // What the last end_frame rendered. Fails on a host without OpenGL.
  virtual engine::Result<Image> read_pixels();

  // From any thread: a frame is wanted soon.
  virtual void wake() {}
  FramePacer& pacer() { return pacer_; }

  virtual void request_close() { closing_ = true; }
  virtual void set_title(const std::string&) {}
  // Of the monitor: 1 is 100 %.
  virtual float content_scale() const { return 1; }
  // "OpenGL 4.5, llvmpipe", for people.
  const std::string& renderer() const { return renderer_; }
  bool is_window() const { return kind_ == HostKind::window; }
  bool has_pixels() const { return kind_ != HostKind::null; }
  // CPU time of the last frame between begin_frame and end_frame, without rasterisation.
  double last_frame_seconds() const { return last_frame_seconds_; }
  std::function<void(std::vector<std::string>)> on_files_dropped;

 protected:
  Host(HostKind kind, bool software_rendering);
  virtual void new_platform_frame() = 0;
  virtual void render() = 0;
  // Before the derived class takes its OpenGL context away.
  void destroy_imgui();

  FramePacer pacer_;
  bool closing_ = false;
  std::string renderer_;

 private:
  HostKind kind_;
  double frame_started_ = 0;
  double last_frame_seconds_ = 0;
};

// Seconds of the steady clock that pacing uses.
double clock_seconds();

}  // namespace app::gui
