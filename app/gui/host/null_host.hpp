// A host without platform and OpenGL: frames are built and dropped. For tests and measurements.
#pragma once

#include "app/gui/host/host.hpp"

namespace app::gui {

class NullHost : public Host {
 public:
  explicit NullHost(const HostOptions& options);
  ~NullHost() override;
  void resize(int width, int height);

 private:
  void new_platform_frame() override;
  void render() override;

  int width_;
  int height_;
};

}  // namespace app::gui
