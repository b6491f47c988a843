// UTF-8 scanning shared by the tokenizer's parts. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace engine {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// What the bytes at the start of `bytes` are: one character, an ill-formed run (a "maximal subpart", replaced
// by one U+FFFD), or the beginning of a character that more bytes may complete.
struct Utf8Unit {
  enum class Kind : std::uint8_t { character, invalid, incomplete };
  Kind kind = Kind::invalid;
  std::size_t length = 0;  // bytes it spans
  std::uint32_t code = 0;  // of a character
};
Utf8Unit read_utf8(std::string_view bytes);  // bytes must not be empty

// Offset of the first byte that is not UTF-8; npos if all of it is.
std::size_t find_invalid_utf8(std::string_view text);

// Code point at `offset` of valid UTF-8; moves `offset` past it.
std::uint32_t next_code_point(std::string_view text, std::size_t& offset);

void append_utf8(std::uint32_t code, std::string& out);

// Appends `bytes` with every ill-formed run as U+FFFD. Returns how many bytes at the end were held back
// because they begin a character; with `finish` there are none, they are U+FFFD too.
std::size_t append_lossy(std::string_view bytes, bool finish, std::string& out);

// `text` in quotes for a one-line message: control characters escaped, cut where it is long.
std::string in_quotes(std::string_view text);

}  // namespace engine
