// Opening files that a checkpoint folder names: regular files only, so that a FIFO or a device cannot make us
// wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/events/result.hpp"

namespace engine {

// An open descriptor of a regular file and the size it had when it was opened. Move-only.
class RegularFile {
 public:
  static Result<RegularFile> open(const std::filesystem::path& path);
  ~RegularFile();
  RegularFile(RegularFile&& other) noexcept;
  RegularFile& operator=(RegularFile&&) = delete;

  int descriptor() const { return descriptor_; }
  std::uint64_t size() const { return size_; }

 private:
  RegularFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  int descriptor_;
  std::uint64_t size_;
};

// The whole file. More than `max_bytes` is an error, so that memory stays bounded.
Result<std::string> read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes);

// Whether anything, of whatever kind, has this name. A dangling symbolic link has: opening it explains
// itself.
bool has_entry(const std::filesystem::path& path);

// `text` from a file, made fit for one line of an error message: control characters replaced, cut to 120
// bytes.
std::string printable(std::string_view text);

}  // namespace engine
