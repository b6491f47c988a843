#include "engine/tokenizer/protobuf_reader.hpp"

namespace engine {

std::optional<ProtobufField> ProtobufReader::fail() {
  damaged_ = true;
  rest_ = {};
  return std::nullopt;
}

std::optional<std::uint64_t> ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ProtobufReader::fixed(std::size_t bytes) {
  if (rest_.size() < bytes) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest_[i])) << (8 * i);
  }
  rest_.remove_prefix(bytes);
  return value;
}

std::optional<ProtobufField> ProtobufReader::next() {
  if (rest_.empty()) return std::nullopt;
  const std::optional<std::uint64_t> tag = varint();
  if (!tag || *tag >> 3 == 0) return fail();
  ProtobufField field;
  field.number = *tag >> 3;
  field.wire = static_cast<ProtobufField::Wire>(*tag & 7);
  std::optional<std::uint64_t> value;
  switch (field.wire) {
    case ProtobufField::Wire::varint:
    case ProtobufField::Wire::bytes:
      value = varint();
      break;
    case ProtobufField::Wire::fixed64:
      value = fixed(8);
      break;
    case ProtobufField::Wire::fixed32:
      value = fixed(4);
      break;
    default:
      break;  // groups: long gone from the format
  }
  if (!value) return fail();
  field.value = *value;
  if (field.wire != ProtobufField::Wire::bytes) return field;
  if (field.value > rest_.size()) return fail();
  field.bytes = rest_.substr(0, field.value);
  rest_.remove_prefix(field.value);
  return field;
}

}  // namespace engine
