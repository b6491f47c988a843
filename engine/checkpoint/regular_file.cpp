#include "engine/checkpoint/regular_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace engine {

namespace {

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace

Result<RegularFile> RegularFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO without a writer would wait for one. It changes nothing for regular files.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return bad_input("{}: cannot be opened: {}", path.string(), reason(errno));
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) {
    const int error_number = errno;
    ::close(descriptor);
    return bad_input("{}: cannot be examined: {}", path.string(), reason(error_number));
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return bad_input("{}: expected a regular file, found {}", path.string(),
                     S_ISDIR(status.st_mode) ? "a folder" : "a special file");
  }
  return RegularFile(descriptor, static_cast<std::uint64_t>(status.st_size));
}

RegularFile::~RegularFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

RegularFile::RegularFile(RegularFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

Result<std::string> read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  auto file = RegularFile::open(path);
  if (!file) return file.error();
  if (file->size() > max_bytes) {
    return bad_input("{}: expected at most {} bytes, found {}", path.string(), max_bytes, file->size());
  }
  std::string text(static_cast<std::size_t>(file->size()), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t count = ::read(file->descriptor(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return bad_input("{}: cannot be read: {}", path.string(), reason(errno));
    if (count == 0) break;  // it shrank meanwhile; the parser judges what is left
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return text;
}

bool has_entry(const std::filesystem::path& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 120;
  std::string shown(text.substr(0, kLongest));
  // Not in the middle of a UTF-8 character.
  while (shown.size() < text.size() && !shown.empty() && (text[shown.size()] & 0xc0) == 0x80)
    shown.pop_back();
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (shown.size() < text.size()) shown += "...";
  return shown;
}

}  // namespace engine
