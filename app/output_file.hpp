// A file that appears under its name only when it is complete.
//
// Written beside its destination under a temporary name and renamed by commit(); dropped if that never
// happens. A destination that is no regular file (/dev/null, a pipe) is written directly. Errors name the
// destination.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>

#include "engine/events/result.hpp"

namespace app {

class OutputFile {
 public:
  static engine::Result<OutputFile> create(const std::filesystem::path& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  engine::Status write(std::span<const std::byte> bytes);
  engine::Status commit();

 private:
  OutputFile() = default;
  engine::Error error(const char* action) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty: written directly
  std::FILE* file_ = nullptr;
};

}  // namespace app
