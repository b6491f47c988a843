#include "app/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace app {

namespace fs = std::filesystem;

engine::Result<OutputFile> OutputFile::create(const fs::path& path) {
  OutputFile file;
  file.path_ = path;
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status))
    return engine::bad_input("{}: expected a file to write, this is a folder", path.string());
  int descriptor = -1;
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    // Through symbolic links, so that the link stays and what it points to is replaced.
    const fs::path target = fs::exists(status) ? fs::canonical(path, ignored) : path;
    if (!target.empty()) file.path_ = target;
    file.temporary_ = file.path_;
    file.temporary_ += fmt::format(".{}.partial", getpid());
    descriptor = open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (descriptor != -1) file.file_ = fdopen(descriptor, "wb");
  if (file.file_ == nullptr) {
    engine::Error error = file.error("cannot create");
    if (errno != ENOSPC && errno != EDQUOT) error.code = engine::ErrorCode::bad_input;
    file.temporary_.clear();
    return error;
  }
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::exchange(other.file_, nullptr)) {}

OutputFile::~OutputFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

engine::Status OutputFile::write(std::span<const std::byte> bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) return error("cannot write");
  return {};
}

engine::Status OutputFile::commit() {
  if (std::fclose(std::exchange(file_, nullptr)) != 0) return error("cannot write");
  if (temporary_.empty()) return {};
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return error("cannot rename into place");
  temporary_.clear();
  return {};
}

engine::Error OutputFile::error(const char* action) const {
  return engine::failed("{}: {}: {}", path_.string(), action, std::strerror(errno));
}

}  // namespace app
