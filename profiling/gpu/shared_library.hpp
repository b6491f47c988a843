// A library that is opened at run time, if it is there.
#pragma once

#include <string>

#include "engine/events/result.hpp"

namespace profiling {

class SharedLibrary {
 public:
  // `kept`: stays loaded for the life of the process, whatever becomes of this object.
  static engine::Result<SharedLibrary> open(const std::string& path_or_name, bool kept);
  SharedLibrary(SharedLibrary&& other) noexcept;
  SharedLibrary& operator=(SharedLibrary&&) = delete;
  ~SharedLibrary();

  void keep() { kept_ = true; }

  void* symbol(const char* name) const;  // null: it has none
  // The file it was loaded from, as far as the loader tells.
  std::string path() const;

 private:
  SharedLibrary(void* handle, bool kept) : handle_(handle), kept_(kept) {}
  void* handle_ = nullptr;
  bool kept_ = false;
};

}  // namespace profiling
