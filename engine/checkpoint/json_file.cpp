#include "engine/checkpoint/json_file.hpp"

#include <cmath>
#include <vector>

namespace engine {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 64;

// Builds a document from JSON events (nlohmann's SAX interface: returning false stops the parse). The
// library's own builder keeps the last of repeated keys, and cannot leave out what nobody asks for.
class TreeBuilder {
 public:
  TreeBuilder(const std::string& file, std::size_t max_kept_depth)
      : file_(file), max_kept_depth_(max_kept_depth) {}

  const std::optional<Error>& error() const { return error_; }
  json& root() { return root_; }

  bool null() { return add(nullptr) != nullptr; }
  bool boolean(bool value) { return add(value) != nullptr; }
  bool number_integer(std::int64_t value) { return add(value) != nullptr; }
  bool number_unsigned(std::uint64_t value) { return add(value) != nullptr; }
  bool number_float(double value, const std::string&) { return add(value) != nullptr; }
  bool string(std::string& value) { return add(std::move(value)) != nullptr; }
  bool binary(json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(json::object()); }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& reason) {
    constexpr int kOutOfRange = 406;  // the library's number for a literal beyond double
    if (reason.id == kOutOfRange) return fail("holds a number that is out of range, at byte {}", position);
    return fail("not valid JSON at byte {}", position);
  }

 private:
  template <typename... Args>
  bool fail(fmt::format_string<Args...> text, Args&&... args) {
    if (!error_) error_ = bad_input("{}: {}", file_, fmt::format(text, std::forward<Args>(args)...));
    return false;
  }

  // Where the value was stored; nullptr after an error. Inside what is left out there is no storing.
  json* add(json value) {
    if (left_out_ > 0) return &root_;
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) return &open_.back()->emplace_back(std::move(value));
    auto& members = open_.back()->get_ref<json::object_t&>();
    const auto [member, added] = members.emplace(key_, std::move(value));
    if (!added) fail("key '{}' appears twice", printable(key_));
    return added ? &member->second : nullptr;
  }

  bool open(json container) {
    if (open_.size() + left_out_ >= kMaxDepth) return fail("nested deeper than {} levels", kMaxDepth);
    if (left_out_ > 0 || open_.size() >= max_kept_depth_) {
      // An empty stand-in under the key, so that a value of the wrong type does not look absent.
      if (left_out_ == 0 && open_.back()->is_object() && add(std::move(container)) == nullptr) return false;
      ++left_out_;
      return true;
    }
    json* stored = add(std::move(container));
    if (stored != nullptr) open_.push_back(stored);
    return stored != nullptr;
  }

  bool close() {
    if (left_out_ > 0) {
      --left_out_;
    } else {
      open_.pop_back();
    }
    return true;
  }

  const std::string& file_;
  std::size_t max_kept_depth_;
  json root_;
  std::vector<json*>
      open_;  // a container's address is stable while it is open: its parent gets nothing meanwhile
  std::size_t left_out_ = 0;  // containers open below the kept depth
  std::string key_;
  std::optional<Error> error_;
};

}  // namespace

Result<json> parse_json_object(std::string_view text, const std::string& file, std::size_t max_kept_depth) {
  // The library takes a zero byte for the end and would ignore what follows; JSON has none anywhere.
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos) return bad_input("{}: not valid JSON at byte {}", file, zero + 1);
  TreeBuilder builder(file, max_kept_depth);
  if (!json::sax_parse(text.data(), text.data() + text.size(), &builder)) {
    return builder.error().value_or(bad_input("{}: not valid JSON", file));
  }
  if (!builder.root().is_object()) return bad_input("{}: expected a JSON object", file);
  return std::move(builder.root());
}

Result<json> read_json_object(const std::filesystem::path& path, std::uint64_t max_bytes,
                              std::size_t max_kept_depth) {
  auto text = read_text_file(path, max_bytes);
  if (!text) return text.error();
  return parse_json_object(*text, path.string(), max_kept_depth);
}

const json* KeyReader::find(const char* key) const {
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool KeyReader::is_null(const char* key) const {
  const auto found = object_.find(key);
  return found != object_.end() && found->is_null();
}

std::int32_t KeyReader::integer(const char* key, std::int32_t absent, std::int32_t lowest,
                                std::int32_t highest) {
  const json* value = find(key);
  if (value == nullptr) return absent;
  // Unsigned numbers beyond int64 are out of every range asked for; the comparison must not wrap.
  const bool fits =
      value->is_number_integer() &&
      !(value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t{INT32_MAX}) &&
      value->get<std::int64_t>() >= lowest && value->get<std::int64_t>() <= highest;
  if (fits) return value->get<std::int32_t>();
  fail(key, "expected an integer from {} to {}, found {}", lowest, highest, shown(*value));
  return absent;
}

double KeyReader::number(const char* key, double absent) {
  const json* value = find(key);
  if (value == nullptr) return absent;
  if (value->is_number() && std::isfinite(value->get<double>())) return value->get<double>();
  fail(key, "expected a finite number, found {}", shown(*value));
  return absent;
}

double KeyReader::positive_number(const char* key, double absent) {
  const json* value = find(key);
  if (value == nullptr) return absent;
  if (value->is_number() && std::isfinite(value->get<double>()) && value->get<double>() > 0) {
    return value->get<double>();
  }
  fail(key, "expected a finite number above 0, found {}", shown(*value));
  return absent;
}

bool KeyReader::boolean(const char* key, bool absent) {
  const json* value = find(key);
  if (value == nullptr) return absent;
  if (value->is_boolean()) return value->get<bool>();
  fail(key, "expected true or false, found {}", shown(*value));
  return absent;
}

std::optional<std::string> KeyReader::string(const char* key) {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  fail(key, "expected a string, found {}", shown(*value));
  return std::nullopt;
}

const json* KeyReader::object(const char* key) {
  const json* value = find(key);
  if (value == nullptr || value->is_object()) return value;
  fail(key, "expected an object, found {}", shown(*value));
  return nullptr;
}

std::string shown(const json& value) {
  switch (value.type()) {
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "a list";
    case json::value_t::string:
      return '"' + printable(value.get_ref<const std::string&>()) + '"';
    default:
      return value.dump();
  }
}

}  // namespace engine
