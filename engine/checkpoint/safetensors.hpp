// One memory-mapped .safetensors file and its checked header.
//
// open() maps the file read-only and touches the header alone. Everything in the header is hostile until
// checked: length, JSON, dtypes, shapes, offsets (in bounds, no overlap, no holes, size = product of shape ×
// element size).
//
// Sizes are checked when the file is opened. A file that another program truncates while it is mapped raises
// SIGBUS on the next touch of a lost page, as for every memory-mapped file: replace checkpoints by renaming.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/checkpoint/regular_file.hpp"
#include "engine/events/result.hpp"

namespace engine {

struct TensorEntry {
  std::string dtype;  // "BF16", "F16", "F32", or another type the format allows
  std::vector<std::int64_t> shape;
  const std::byte* data = nullptr;  // inside the mapping
  std::size_t bytes = 0;
};

using TensorTable = std::map<std::string, TensorEntry, std::less<>>;

struct SafetensorsHeader {
  TensorTable tensors;
  std::map<std::string, std::string> metadata;  // "__metadata__"
};

// Checks the bytes of a whole file; `data` pointers of the result point into `bytes`. `file` is the name in
// errors.
Result<SafetensorsHeader> parse_safetensors(std::span<const std::byte> bytes, const std::string& file);

class SafetensorsFile {
 public:
  static Result<std::shared_ptr<const SafetensorsFile>> open(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  // After open() the kernel reads no page that is not touched: loading takes a few small tensors from all
  // over the file. Before whole matrices are read from disk, it should read ahead again.
  void allow_read_ahead() const;

  // Before a run that reads all of it once per token: copies the file into huge pages where memory is
  // plentiful, behind the same addresses, once. Afterwards the file on disk may change without doing harm.
  // Reads the whole file. Any thread, at any time.
  void prefer_huge_pages() const;

  const SafetensorsHeader& header() const { return header_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit SafetensorsFile(RegularFile file) : file_(std::move(file)) {}
  RegularFile file_;  // open for as long as its contents may still be read
  std::filesystem::path path_;
  std::byte* mapping_ = nullptr;
  std::size_t size_ = 0;
  mutable std::once_flag moved_;
  SafetensorsHeader header_;
};

}  // namespace engine
