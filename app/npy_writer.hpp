// Writes one array as an npy file (format version 1.0, C order, little-endian), row by row.
//
// The shape is known beforehand; exactly that many elements must be written before commit(). The file appears
// under its name complete or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "app/output_file.hpp"
#include "engine/events/result.hpp"

namespace app {

// The header's bytes; `descr` is "<f4" or "<i4".
std::string npy_header(const char* descr, std::span<const std::int64_t> shape);

class NpyWriter {
 public:
  static engine::Result<NpyWriter> create(const std::filesystem::path& path, const char* descr,
                                          std::vector<std::int64_t> shape);

  template <typename T>
  engine::Status write(std::span<const T> elements) {
    static_assert(sizeof(T) == 4);
    written_ += static_cast<std::int64_t>(elements.size());
    return file_.write(std::as_bytes(elements));
  }
  engine::Status commit();

 private:
  NpyWriter(OutputFile file, std::int64_t elements) : file_(std::move(file)), elements_(elements) {}
  OutputFile file_;
  std::int64_t elements_;
  std::int64_t written_ = 0;
};

}  // namespace app
