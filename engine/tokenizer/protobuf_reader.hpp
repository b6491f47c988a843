// Protocol buffers' wire format, read field by field out of bytes that nobody vouches for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace engine {

struct ProtobufField {
  enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint64_t number = 0;
  Wire wire = Wire::varint;
  std::uint64_t value = 0;  // of varint, fixed64 and fixed32
  std::string_view bytes;   // of bytes; points into the message
};

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  // Nothing at the end of the message, and after damage.
  std::optional<ProtobufField> next();
  bool damaged() const { return damaged_; }

 private:
  std::optional<std::uint64_t> varint();
  std::optional<std::uint64_t> fixed(std::size_t bytes);
  std::optional<ProtobufField> fail();

  std::string_view rest_;
  bool damaged_ = false;
};

}  // namespace engine
