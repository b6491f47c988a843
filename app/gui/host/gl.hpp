// The few OpenGL functions that we call ourselves, found at run time: nothing links OpenGL.
#pragma once

#include <cstddef>

namespace app::gui {

struct Gl {
  static constexpr unsigned kColorBufferBit = 0x4000, kRgba = 0x1908, kUnsignedByte = 0x1401, kRgba8 = 0x8058;
  static constexpr unsigned kFramebuffer = 0x8D40, kRenderbuffer = 0x8D41, kColorAttachment0 = 0x8CE0;
  static constexpr unsigned kFramebufferComplete = 0x8CD5, kPackAlignment = 0x0D05;
  static constexpr unsigned kRenderer = 0x1F01, kVersion = 0x1F02;

  void (*clear_color)(float, float, float, float) = nullptr;
  void (*clear)(unsigned) = nullptr;
  void (*viewport)(int, int, int, int) = nullptr;
  void (*finish)() = nullptr;
  void (*pixel_store)(unsigned, int) = nullptr;
  void (*read_pixels)(int, int, int, int, unsigned, unsigned, void*) = nullptr;
  const unsigned char* (*get_string)(unsigned) = nullptr;
  void (*gen_framebuffers)(int, unsigned*) = nullptr;
  void (*delete_framebuffers)(int, const unsigned*) = nullptr;
  void (*bind_framebuffer)(unsigned, unsigned) = nullptr;
  unsigned (*check_framebuffer_status)(unsigned) = nullptr;
  void (*gen_renderbuffers)(int, unsigned*) = nullptr;
  void (*delete_renderbuffers)(int, const unsigned*) = nullptr;
  void (*bind_renderbuffer)(unsigned, unsigned) = nullptr;
  void (*renderbuffer_storage)(unsigned, unsigned, int, int) = nullptr;
  void (*framebuffer_renderbuffer)(unsigned, unsigned, unsigned, unsigned) = nullptr;

  // From the current context of this thread; false if one is missing.
  bool load();
};

}  // namespace app::gui
