#include "engine/tokenizer/utf8.hpp"

#include <fmt/format.h>

namespace engine {

namespace {

struct Lead {
  std::size_t length = 0;           // of the character; 0: no character starts with this byte
  std::uint8_t second_low = 0x80;   // bounds of the second byte, which exclude overlong forms, surrogates and
  std::uint8_t second_high = 0xBF;  // values above U+10FFFF
};

Lead classify(std::uint8_t byte) {
  if (byte < 0x80) return {1};
  if (byte >= 0xC2 && byte <= 0xDF) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

}  // namespace

Utf8Unit read_utf8(std::string_view bytes) {
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  const Lead lead = classify(first);
  if (lead.length == 0) return {Utf8Unit::Kind::invalid, 1, 0};
  if (lead.length == 1) return {Utf8Unit::Kind::character, 1, first};
  std::uint32_t code = first & (0xFFU >> (lead.length + 1));
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (i == bytes.size()) return {Utf8Unit::Kind::incomplete, i, 0};
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    const std::uint8_t low = i == 1 ? lead.second_low : 0x80;
    const std::uint8_t high = i == 1 ? lead.second_high : 0xBF;
    if (byte < low || byte > high) return {Utf8Unit::Kind::invalid, i, 0};
    code = code << 6 | (byte & 0x3FU);
  }
  return {Utf8Unit::Kind::character, lead.length, code};
}

std::size_t find_invalid_utf8(std::string_view text) {
  std::size_t offset = 0;
  while (offset < text.size()) {
    const Utf8Unit unit = read_utf8(text.substr(offset));
    if (unit.kind != Utf8Unit::Kind::character) return offset;
    offset += unit.length;
  }
  return std::string_view::npos;
}

std::uint32_t next_code_point(std::string_view text, std::size_t& offset) {
  const Utf8Unit unit = read_utf8(text.substr(offset));
  offset += unit.length;
  return unit.code;
}

void append_utf8(std::uint32_t code, std::string& out) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::size_t append_lossy(std::string_view bytes, bool finish, std::string& out) {
  std::size_t offset = 0;
  while (offset < bytes.size()) {
    const Utf8Unit unit = read_utf8(bytes.substr(offset));
    if (unit.kind == Utf8Unit::Kind::incomplete && !finish) break;
    if (unit.kind == Utf8Unit::Kind::character) {
      out += bytes.substr(offset, unit.length);
    } else {
      out += kReplacementCharacter;
    }
    offset += unit.length;
  }
  return bytes.size() - offset;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string out = "\"";
  std::size_t offset = 0;
  while (offset < text.size() && offset < kLongest) {
    const Utf8Unit unit = read_utf8(text.substr(offset));
    const bool printable = unit.kind == Utf8Unit::Kind::character && unit.code >= 0x20 &&
                           (unit.code < 0x7F || unit.code > 0x9F) && unit.code != 0x2028 &&
                           unit.code != 0x2029;
    if (printable) {
      out += text.substr(offset, unit.length);
    } else {
      for (const char byte : text.substr(offset, unit.length)) {
        out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(byte));
      }
    }
    offset += unit.length;
  }
  return out + (offset < text.size() ? "...\"" : "\"");
}

}  // namespace engine
