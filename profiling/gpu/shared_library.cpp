#include "profiling/gpu/shared_library.hpp"

#include <dlfcn.h>
#include <link.h>

#include <utility>

namespace profiling {

engine::Result<SharedLibrary> SharedLibrary::open(const std::string& path_or_name, bool kept) {
  void* const handle = ::dlopen(path_or_name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const reason = ::dlerror();
    return engine::failed("{}", reason != nullptr ? reason : path_or_name + ": cannot be loaded");
  }
  return SharedLibrary(handle, kept);
}

SharedLibrary::SharedLibrary(SharedLibrary&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), kept_(other.kept_) {}

SharedLibrary::~SharedLibrary() {
  if (handle_ != nullptr && !kept_) ::dlclose(handle_);
}

void* SharedLibrary::symbol(const char* name) const {
  return ::dlsym(handle_, name);
}

std::string SharedLibrary::path() const {
  link_map* map = nullptr;
  if (::dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr || map->l_name == nullptr) return {};
  return map->l_name;
}

}  // namespace profiling
