#include "app/console.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace app {

namespace {

constexpr std::size_t kBufferBytes = 1 << 16;

bool is_usable_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return isatty(descriptor) == 1 && (term == nullptr || std::strcmp(term, "dumb") != 0);
}

void print_error_line(const std::string& line) {
  const std::string text = line + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace

DescriptorBuffer::DescriptorBuffer(int descriptor) : descriptor_(descriptor), buffer_(kBufferBytes) {
  setp(buffer_.data(), buffer_.data() + buffer_.size());
}

DescriptorBuffer::int_type DescriptorBuffer::overflow(int_type character) {
  if (sync() != 0) return traits_type::eof();
  if (!traits_type::eq_int_type(character, traits_type::eof())) {
    *pptr() = traits_type::to_char_type(character);
    pbump(1);
  }
  return traits_type::not_eof(character);
}

int DescriptorBuffer::sync() {
  const char* next = pbase();
  while (error_ == 0 && next < pptr()) {
    const ssize_t written = write(descriptor_, next, static_cast<std::size_t>(pptr() - next));
    if (written >= 0) {
      next += written;
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  return error_ == 0 ? 0 : -1;
}

Console::Console()
    : buffer_(STDOUT_FILENO),
      out_(&buffer_),
      out_is_terminal_(is_usable_terminal(STDOUT_FILENO)),
      err_is_terminal_(is_usable_terminal(STDERR_FILENO)) {}

engine::Status Console::flush() {
  out_.flush();
  if (buffer_.error() != 0) return engine::failed("standard output: {}", std::strerror(buffer_.error()));
  return {};
}

void Console::print_generated(std::string_view text) {
  if (!out_is_terminal_) {
    out_ << text;
    return;
  }
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    const bool control = (byte < 0x20 && character != '\n' && character != '\t') || byte == 0x7f;
    if (control) {
      out_ << "\xef\xbf\xbd";
    } else {
      out_ << character;
    }
  }
}

void Console::print(const std::string& text) {
  out_ << text;
  if (!text.ends_with('\n')) out_ << '\n';
}

int Console::finish(engine::Status status) {
  const engine::Status flushed = flush();
  if (status && !flushed) status = flushed;
  if (!status) print_error_line("dmscope: " + engine::one_line(status.error().message));
  for (const std::string& line : later_) print_error_line(line);
  if (status) return 0;
  return status.error().code == engine::ErrorCode::bad_input ? 2 : 1;
}

void open_missing_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) != -1) continue;
    // The lowest free number is `descriptor`. Standard output opened for reading: writing to it fails and is
    // reported.
    const int mode = descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY;
    if (open("/dev/null", mode) == -1) _exit(1);
  }
}

}  // namespace app
