// The header of a safetensors file: 8 bytes of length, then a JSON object of tensors. Parsed event by event
// straight into the table, so that a hostile header costs neither a document tree nor stack depth.
#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/checkpoint/regular_file.hpp"
#include "engine/checkpoint/safetensors.hpp"

namespace engine {

namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
// Bounds on what a header may make us allocate; the largest published checkpoints stay far below.
constexpr std::size_t kMaxTensors = 262'144;
constexpr std::size_t kMaxMetadata = 65'536;
constexpr std::size_t kMaxRank = 64;

struct ElementType {
  std::string_view name;
  unsigned bits;
};

constexpr ElementType kElementTypes[] = {
    {"BOOL", 8},    {"U8", 8},      {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F4", 4},
    {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"I16", 16}, {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},
    {"U32", 32},    {"F32", 32},    {"I64", 64}, {"U64", 64},    {"F64", 64},    {"C64", 64},
};

const ElementType* find_element_type(std::string_view name) {
  const auto* found = std::find_if(std::begin(kElementTypes), std::end(kElementTypes),
                                   [&](const ElementType& type) { return type.name == name; });
  return found == std::end(kElementTypes) ? nullptr : found;
}

// Bytes of a tensor, or nothing where the product overflows or does not fill whole bytes.
std::optional<std::uint64_t> byte_size(const std::vector<std::int64_t>& shape, unsigned bits) {
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  if (empty) return 0;
  std::uint64_t total_bits = bits;
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(total_bits, static_cast<std::uint64_t>(extent), &total_bits))
      return std::nullopt;
  }
  if (total_bits % 8 != 0) return std::nullopt;
  return total_bits / 8;
}

struct Offsets {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// Receives JSON events (nlohmann's SAX interface: returning false stops the parse) and fills the header.
class HeaderReader {
 public:
  HeaderReader(SafetensorsHeader& header, const std::byte* data, std::uint64_t data_bytes,
               const std::string& file)
      : header_(header), data_(data), data_bytes_(data_bytes), file_(file) {}

  const std::optional<Error>& error() const { return error_; }

  bool null() { return scalar("null"); }
  bool boolean(bool) { return scalar("a boolean"); }
  bool number_integer(std::int64_t) { return scalar("a negative number"); }
  bool number_float(double, const std::string& digits) { return scalar(printable(digits)); }
  bool binary(nlohmann::json::binary_t&) { return scalar("binary data"); }

  bool number_unsigned(std::uint64_t number) {
    if (place_ == Place::shape) return add_extent(number);
    if (place_ == Place::offsets) return add_offset(number);
    return scalar(std::to_string(number));
  }

  bool string(std::string& text) {
    if (place_ == Place::metadata) {
      if (header_.metadata.size() >= kMaxMetadata)
        return fail("__metadata__: more than {} entries", kMaxMetadata);
      if (header_.metadata.emplace(key_, std::move(text)).second) return true;
      return fail("__metadata__: key '{}' appears twice", printable(key_));
    }
    if (place_ == Place::tensor && key_ == "dtype") {
      element_type_ = find_element_type(text);
      if (element_type_ != nullptr) return true;
      return fail_tensor("dtype '{}' is not one of the format's", printable(text));
    }
    return scalar("a string");
  }

  bool start_object(std::size_t) {
    if (place_ == Place::before) return enter(Place::top);
    if (place_ == Place::top && key_ == "__metadata__") {
      if (metadata_seen_) return fail("__metadata__ appears twice");
      metadata_seen_ = true;
      return enter(Place::metadata);
    }
    if (place_ == Place::top) return start_tensor();
    return scalar("an object");
  }

  bool key(std::string& name) {
    key_ = std::move(name);
    if (place_ != Place::tensor) return true;
    bool& seen = key_ == "dtype" ? dtype_seen_ : key_ == "shape" ? shape_seen_ : offsets_seen_;
    if (key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") {
      return fail_tensor("unknown key '{}', expected dtype, shape and data_offsets", printable(key_));
    }
    if (seen) return fail_tensor("key '{}' appears twice", key_);
    seen = true;
    return true;
  }

  bool end_object() {
    if (place_ == Place::tensor && !finish_tensor()) return false;
    return enter(place_ == Place::top ? Place::after : Place::top);
  }

  bool start_array(std::size_t) {
    if (place_ == Place::tensor && key_ == "shape") return enter(Place::shape);
    if (place_ == Place::tensor && key_ == "data_offsets") return enter(Place::offsets);
    return scalar("an array");
  }

  bool end_array() { return enter(Place::tensor); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    return fail("the header is not valid JSON at byte {} of it", position);
  }

  // The tensors must cover the data section, each byte once.
  bool check_coverage() {
    std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) {
      return a.offsets.begin != b.offsets.begin ? a.offsets.begin < b.offsets.begin
                                                : a.offsets.end < b.offsets.end;
    });
    std::uint64_t covered = 0;
    for (const Span& span : spans_) {
      tensor_ = span.tensor;
      if (span.offsets.begin != covered) {
        return fail_tensor("data_offsets begin at {}, which {} the data before it (expected {})",
                           span.offsets.begin,
                           span.offsets.begin < covered ? "overlaps" : "leaves a hole after", covered);
      }
      covered = span.offsets.end;
    }
    if (covered == data_bytes_) return true;
    return fail("the tensors cover {} bytes of data, the file holds {}", covered, data_bytes_);
  }

 private:
  enum class Place { before, top, metadata, tensor, shape, offsets, after };

  struct Span {
    Offsets offsets;
    TensorTable::iterator tensor;
  };

  bool enter(Place place) {
    place_ = place;
    return true;
  }

  template <typename... Args>
  bool fail(fmt::format_string<Args...> text, Args&&... args) {
    if (!error_) error_ = bad_input("{}: {}", file_, fmt::format(text, std::forward<Args>(args)...));
    return false;
  }

  template <typename... Args>
  bool fail_tensor(fmt::format_string<Args...> text, Args&&... args) {
    return fail("tensor {}: {}", printable(tensor_->first), fmt::format(text, std::forward<Args>(args)...));
  }

  // A value of a kind that has no business here.
  bool scalar(std::string_view found) {
    switch (place_) {
      case Place::before:
        return fail("the header is not a JSON object");
      case Place::top:
        return fail("header key '{}': expected an object, found {}", printable(key_), found);
      case Place::metadata:
        return fail("__metadata__ '{}': expected a string, found {}", printable(key_), found);
      case Place::tensor:
        return fail_tensor("{}: unexpected {}", key_, found);
      case Place::shape:
        return fail_tensor("shape: expected non-negative integers, found {}", found);
      case Place::offsets:
        return fail_tensor("data_offsets: expected two integers, found {}", found);
      case Place::after:
        break;
    }
    return fail("the header holds more than one JSON value");
  }

  bool start_tensor() {
    if (header_.tensors.size() >= kMaxTensors) return fail("more than {} tensors", kMaxTensors);
    bool added = false;
    std::tie(tensor_, added) = header_.tensors.try_emplace(std::move(key_));
    if (!added) return fail_tensor("appears twice");
    element_type_ = nullptr;
    offset_count_ = 0;
    dtype_seen_ = shape_seen_ = offsets_seen_ = false;
    return enter(Place::tensor);
  }

  bool add_extent(std::uint64_t extent) {
    if (extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return fail_tensor("shape: {} is too large", extent);
    }
    if (tensor_->second.shape.size() >= kMaxRank)
      return fail_tensor("shape: more than {} dimensions", kMaxRank);
    tensor_->second.shape.push_back(static_cast<std::int64_t>(extent));
    return true;
  }

  bool add_offset(std::uint64_t offset) {
    if (offset_count_ == 2) return fail_tensor("data_offsets: expected two integers, found more");
    (offset_count_ == 0 ? offsets_.begin : offsets_.end) = offset;
    ++offset_count_;
    return true;
  }

  bool finish_tensor() {
    TensorEntry& entry = tensor_->second;
    if (element_type_ == nullptr) return fail_tensor("dtype is missing");
    if (!shape_seen_) return fail_tensor("shape is missing");
    if (offset_count_ != 2)
      return fail_tensor("data_offsets: expected two integers, found {}", offset_count_);
    if (offsets_.begin > offsets_.end || offsets_.end > data_bytes_) {
      return fail_tensor("data_offsets [{}, {}] are not inside the {} bytes of data", offsets_.begin,
                         offsets_.end, data_bytes_);
    }
    const auto expected = byte_size(entry.shape, element_type_->bits);
    if (!expected) return fail_tensor("shape and dtype give no valid size in bytes");
    if (*expected != offsets_.end - offsets_.begin) {
      return fail_tensor("shape and dtype need {} bytes, data_offsets give {}", *expected,
                         offsets_.end - offsets_.begin);
    }
    entry.dtype = element_type_->name;
    entry.data = data_ + offsets_.begin;
    entry.bytes = static_cast<std::size_t>(*expected);
    spans_.push_back({offsets_, tensor_});
    return true;
  }

  SafetensorsHeader& header_;
  const std::byte* data_;
  std::uint64_t data_bytes_;
  const std::string& file_;
  std::optional<Error> error_;
  Place place_ = Place::before;
  std::string key_;
  bool metadata_seen_ = false;
  std::vector<Span> spans_;

  // The tensor being read.
  TensorTable::iterator tensor_;
  const ElementType* element_type_ = nullptr;
  Offsets offsets_;
  int offset_count_ = 0;
  bool dtype_seen_ = false;
  bool shape_seen_ = false;
  bool offsets_seen_ = false;
};

std::uint64_t little_endian_u64(const std::byte* bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

}  // namespace

Result<SafetensorsHeader> parse_safetensors(std::span<const std::byte> bytes, const std::string& file) {
  constexpr std::size_t kLengthBytes = 8;
  if (bytes.size() < kLengthBytes) {
    return bad_input("{}: not a safetensors file: expected at least 8 bytes, found {}", file, bytes.size());
  }
  const std::uint64_t header_bytes = little_endian_u64(bytes.data());
  if (header_bytes > kMaxHeaderBytes) {
    return bad_input("{}: not a safetensors file: expected a header of at most {} bytes, found length {}",
                     file, kMaxHeaderBytes, header_bytes);
  }
  if (header_bytes > bytes.size() - kLengthBytes) {
    return bad_input("{}: cut short: the header needs {} bytes, the file has {} after its length", file,
                     header_bytes, bytes.size() - kLengthBytes);
  }
  const auto* text = reinterpret_cast<const char*>(bytes.data() + kLengthBytes);
  if (header_bytes == 0 || *text != '{') return bad_input("{}: the header is not a JSON object", file);

  // The library takes a zero byte for the end and would ignore what follows; JSON has none anywhere.
  if (std::memchr(text, 0, static_cast<std::size_t>(header_bytes)) != nullptr) {
    return bad_input("{}: the header is not valid JSON: it has a zero byte", file);
  }

  SafetensorsHeader header;
  const auto data = bytes.subspan(kLengthBytes + static_cast<std::size_t>(header_bytes));
  HeaderReader reader(header, data.data(), data.size(), file);
  const bool parsed = nlohmann::json::sax_parse(text, text + header_bytes, &reader);
  if (!parsed || !reader.check_coverage()) return *reader.error();
  return header;
}

}  // namespace engine
