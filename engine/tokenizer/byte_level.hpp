// GPT-2's alphabet for bytes: every byte is written as one printable character, so that a vocabulary of any
// bytes is a vocabulary of text. Printable Latin-1 bytes stand for themselves, the other 68 are U+0100 and
// up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace engine {

// Appends the byte-level spelling of `bytes`.
void append_byte_level(std::string_view bytes, std::string& out);

// The bytes that `token` spells; nothing if a character of it is outside the alphabet.
std::optional<std::string> read_byte_level(std::string_view token);

}  // namespace engine
