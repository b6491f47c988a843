#include "engine/tokenizer/byte_level.hpp"

#include <array>
#include <cstdint>

#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

constexpr std::uint32_t kFirstStandIn = 0x100;
constexpr std::uint32_t kStandIns = 68;

constexpr bool stands_for_itself(std::uint32_t byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<std::uint16_t, 256> character{};  // of each byte
  std::array<std::uint8_t, kStandIns> byte{};  // of U+0100 + index

  constexpr Alphabet() {
    std::uint32_t used = 0;
    for (std::uint32_t value = 0; value < 256; ++value) {
      if (stands_for_itself(value)) {
        character[value] = static_cast<std::uint16_t>(value);
      } else {
        character[value] = static_cast<std::uint16_t>(kFirstStandIn + used);
        byte[used++] = static_cast<std::uint8_t>(value);
      }
    }
  }
};
constexpr Alphabet kAlphabet;

}  // namespace

void append_byte_level(std::string_view bytes, std::string& out) {
  for (const char byte : bytes) append_utf8(kAlphabet.character[static_cast<std::uint8_t>(byte)], out);
}

std::optional<std::string> read_byte_level(std::string_view token) {
  std::string bytes;
  std::size_t offset = 0;
  while (offset < token.size()) {
    const std::uint32_t code = next_code_point(token, offset);
    if (code < 0x100 && stands_for_itself(code)) {
      bytes += static_cast<char>(code);
    } else if (code >= kFirstStandIn && code < kFirstStandIn + kStandIns) {
      bytes += static_cast<char>(kAlphabet.byte[code - kFirstStandIn]);
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

}  // namespace engine
