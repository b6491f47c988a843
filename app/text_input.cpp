#include "app/text_input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace app {

namespace {

engine::Result<std::string> read_all(int descriptor, const std::string& name) {
  constexpr std::size_t kBlock = 1 << 16;
  std::string text;
  for (;;) {
    const std::size_t size = text.size();
    text.resize(size + kBlock);
    const ssize_t count = read(descriptor, text.data() + size, kBlock);
    text.resize(size + static_cast<std::size_t>(count > 0 ? count : 0));
    if (count == 0) return text;
    if (count < 0 && errno != EINTR)
      return engine::bad_input("{}: cannot read: {}", name, std::strerror(errno));
    if (text.size() > kMaxTextBytes) {
      return engine::bad_input("{}: expected a text of at most {} bytes", name, kMaxTextBytes);
    }
  }
}

struct Utf8Lead {
  std::size_t length = 0;  // 0: not a lead byte
  unsigned char second_low = 0x80;
  unsigned char second_high = 0xbf;
};

// Unicode 15, table 3-7: the second byte's range excludes overlong forms, surrogates and what is above
// U+10FFFF.
Utf8Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1};
  if (byte >= 0xc2 && byte <= 0xdf) return {2};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {3};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {4};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {};
}

}  // namespace

engine::Result<std::string> read_text_file(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor == -1) return engine::bad_input("{}: cannot open: {}", path.string(), std::strerror(errno));
  auto text = read_all(descriptor, path.string());
  close(descriptor);
  return text;
}

engine::Result<std::string> read_standard_input() {
  return read_all(STDIN_FILENO, "standard input");
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const Utf8Lead lead = lead_of(byte(0));
    if (lead.length == 0 || at + lead.length > text.size()) return at;
    if (lead.length > 1 && (byte(1) < lead.second_low || byte(1) > lead.second_high)) return at;
    for (std::size_t i = 2; i < lead.length; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return at;
    }
    at += lead.length;
  }
  return std::nullopt;
}

engine::Status check_utf8(std::string_view text, const std::string& source) {
  const auto offset = find_invalid_utf8(text);
  if (!offset) return {};
  return engine::bad_input("{}: expected UTF-8, byte {} (0x{:02x}) is not", source, *offset,
                           static_cast<unsigned>(static_cast<unsigned char>(text[*offset])));
}

}  // namespace app
