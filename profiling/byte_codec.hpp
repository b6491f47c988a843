// Little-endian integers and LEB128 varints in byte buffers, as the trace's blobs hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace profiling {

inline void put_u8(std::vector<std::uint8_t>& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value));
}

inline void put_u16(std::vector<std::uint8_t>& out, std::uint32_t value) {
  put_u8(out, value & 0xffu);
  put_u8(out, (value >> 8) & 0xffu);
}

inline void put_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  put_u16(out, value & 0xffffu);
  put_u16(out, value >> 16);
}

// The callers have checked the sizes.
inline std::uint32_t get_u16(std::span<const std::uint8_t> in, std::size_t at) {
  return in[at] | (static_cast<std::uint32_t>(in[at + 1]) << 8);
}

inline std::uint32_t get_u32(std::span<const std::uint8_t> in, std::size_t at) {
  return get_u16(in, at) | (get_u16(in, at + 2) << 16);
}

inline bool get_bit(std::span<const std::uint8_t> in, std::size_t at) {
  return ((unsigned{in[at / 8]} >> (at % 8)) & 1u) != 0;
}

inline void set_bit(std::span<std::uint8_t> out, std::size_t at) {
  out[at / 8] = static_cast<std::uint8_t>(out[at / 8] | (1u << (at % 8)));
}

inline std::size_t bit_bytes(std::size_t bits) {
  return (bits + 7) / 8;
}

// Signed, small magnitudes in one byte (zigzag).
inline void put_varint(std::vector<std::uint8_t>& out, std::int64_t value) {
  auto bits = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  while (bits >= 0x80) {
    put_u8(out, static_cast<unsigned>(bits & 0x7f) | 0x80u);
    bits >>= 7;
  }
  put_u8(out, static_cast<unsigned>(bits));
}

// Reads at `at` and advances it; false when the bytes end or the number has more than 64 bits.
inline bool get_varint(std::span<const std::uint8_t> in, std::size_t& at, std::int64_t& value) {
  std::uint64_t bits = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at >= in.size()) return false;
    const std::uint64_t byte = in[at++];
    bits |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      value = static_cast<std::int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
      return true;
    }
  }
  return false;
}

}  // namespace profiling
