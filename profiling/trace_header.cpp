#include "profiling/trace_header.hpp"

#include <sqlite3.h>

#include <array>
#include <cstring>
#include <vector>

namespace profiling {
namespace {

constexpr int kHeaderBytes = 100;
using HeaderBytes = std::array<unsigned char, kHeaderBytes>;

// Through SQLite's own file layer: closing a descriptor of our own would drop the POSIX locks that a writer
// in this process holds on the same file.
int read_through_sqlite(const std::filesystem::path& path, HeaderBytes& bytes) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  if (vfs == nullptr) return SQLITE_ERROR;
  std::vector<std::max_align_t> storage(static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) +
                                        1);
  auto* file = reinterpret_cast<sqlite3_file*>(storage.data());
  std::string name = std::filesystem::absolute(path).string();
  name.append(4, '\0');  // SQLite expects its file names to end in an empty list of parameters
  int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
  int code = vfs->xOpen(vfs, name.c_str(), file, flags, &flags);
  if (code == SQLITE_OK) code = file->pMethods->xRead(file, bytes.data(), kHeaderBytes, 0);
  if (file->pMethods != nullptr) file->pMethods->xClose(file);
  return code;
}

std::uint32_t big_endian(const HeaderBytes& bytes, std::size_t at) {
  return (std::uint32_t{bytes[at]} << 24) | (std::uint32_t{bytes[at + 1]} << 16) |
         (std::uint32_t{bytes[at + 2]} << 8) | bytes[at + 3];
}

engine::Result<std::uint64_t> regular_file_size(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return engine::bad_input("trace '{}': no such file", path.string());
  }
  if (error) return engine::bad_input("trace '{}': {}", path.string(), error.message());
  if (std::filesystem::is_directory(status)) {
    return engine::bad_input("trace '{}': a folder, expected a trace file", path.string());
  }
  if (!std::filesystem::is_regular_file(status)) {
    return engine::bad_input("trace '{}': not a regular file", path.string());
  }
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) return engine::bad_input("trace '{}': {}", path.string(), error.message());
  return bytes;
}

}  // namespace

engine::Result<TraceHeader> read_trace_header(const std::filesystem::path& path) {
  const auto file_bytes = regular_file_size(path);
  if (!file_bytes) return file_bytes.error();
  if (*file_bytes == 0) return engine::bad_input("trace '{}': empty file", path.string());
  HeaderBytes bytes{};
  const int code = read_through_sqlite(path, bytes);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
    return engine::bad_input("trace '{}': cannot be read ({})", path.string(), sqlite3_errstr(code));
  }
  if (std::memcmp(bytes.data(), "SQLite format 3", 16) != 0) {
    return engine::bad_input("trace '{}': not an SQLite file, expected a trace recorded by DMScope",
                             path.string());
  }
  if (*file_bytes < kHeaderBytes) {
    return engine::bad_input("trace '{}': cut off after {} bytes", path.string(), *file_bytes);
  }
  TraceHeader header;
  header.page_bytes = (std::int64_t{bytes[16]} << 8) | bytes[17];
  if (header.page_bytes == 1) header.page_bytes = 65536;
  header.pages = big_endian(bytes, 28);
  header.write_ahead = bytes[18] == 2 || bytes[19] == 2;
  header.user_version = big_endian(bytes, 60);
  header.application_id = big_endian(bytes, 68);
  header.file_bytes = *file_bytes;
  return header;
}

}  // namespace profiling
