#include "app/gui/host/gl.hpp"

#include <GLFW/glfw3.h>

namespace app::gui {

namespace {

template <typename Function>
bool find(Function*& function, const char* name) {
  function = reinterpret_cast<Function*>(glfwGetProcAddress(name));
  return function != nullptr;
}

}  // namespace

bool Gl::load() {
  return find(clear_color, "glClearColor") && find(clear, "glClear") && find(viewport, "glViewport") &&
         find(finish, "glFinish") && find(pixel_store, "glPixelStorei") &&
         find(read_pixels, "glReadPixels") && find(get_string, "glGetString") &&
         find(gen_framebuffers, "glGenFramebuffers") && find(delete_framebuffers, "glDeleteFramebuffers") &&
         find(bind_framebuffer, "glBindFramebuffer") &&
         find(check_framebuffer_status, "glCheckFramebufferStatus") &&
         find(gen_renderbuffers, "glGenRenderbuffers") &&
         find(delete_renderbuffers, "glDeleteRenderbuffers") &&
         find(bind_renderbuffer, "glBindRenderbuffer") &&
         find(renderbuffer_storage, "glRenderbufferStorage") &&
         find(framebuffer_renderbuffer, "glFramebufferRenderbuffer");
}

}  // namespace app::gui
