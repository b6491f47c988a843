// Result<T>: a value, or the Error that explains to a user why there is none.
//
// For everything a user can cause: a broken file, a bad argument, a full disk. Building an Error has no side
// effects; each one is handled once, returned to the caller or shown. Impossible states assert instead.
#pragma once

#include <fmt/format.h>

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace engine {

enum class ErrorCode {
  bad_input,    // a file, an argument or a prompt is wrong: exit status 2
  failed,       // the work itself failed (disk full, out of memory): exit status 1
  interrupted,  // the user asked to stop: exit status 1
};

struct Error {
  ErrorCode code = ErrorCode::failed;
  std::string message;     // one line that names the file, tensor, key or argument and what was expected
  bool about_gpu = false;  // what failed is the GPU that was asked for: the CPU could do it
};

// `text` with control characters written as \xNN: names and messages from hostile files may hold any.
[[nodiscard]] inline std::string one_line(std::string_view text) {
  std::string line;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte != 0x7f) {
      line += character;
    } else {
      line += fmt::format("\\x{:02x}", byte);
    }
  }
  return line;
}

template <typename... Args>
[[nodiscard]] Error bad_input(fmt::format_string<Args...> text, Args&&... args) {
  return {ErrorCode::bad_input, one_line(fmt::format(text, std::forward<Args>(args)...))};
}

template <typename... Args>
[[nodiscard]] Error failed(fmt::format_string<Args...> text, Args&&... args) {
  return {ErrorCode::failed, one_line(fmt::format(text, std::forward<Args>(args)...))};
}

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() & { return *checked(); }
  const T& value() const& { return *const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(*checked()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    assert(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }

 private:
  T* checked() {
    assert(state_.index() == 0);
    return std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

// Result without a value. `return {};` is success.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  explicit operator bool() const { return !error_; }
  const Error& error() const {
    assert(error_);
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace engine
