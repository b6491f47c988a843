#include "engine/tokenizer/json_fields.hpp"

namespace engine {

namespace {
const nlohmann::json kNull;
}  // namespace

JsonNode JsonNode::member(std::string_view key) const {
  const auto found = value->find(key);
  // The root is "file:", keys inside are joined by dots.
  const char* separator = where.ends_with(":") ? " " : ".";
  return {found == value->end() ? &kNull : &*found, where + separator + std::string(key)};
}

JsonNode JsonNode::element(std::size_t index) const {
  return {&(*value)[index], where + "[" + std::to_string(index) + "]"};
}

Status JsonNode::expect_object() const {
  if (value->is_object()) return {};
  return bad_input("{}: expected an object, found {}", where, value->type_name());
}

Status JsonNode::expect_array() const {
  if (value->is_array()) return {};
  return bad_input("{}: expected an array, found {}", where, value->type_name());
}

Result<bool> JsonNode::boolean(std::string_view key, std::optional<bool> fallback) const {
  const JsonNode node = member(key);
  if (node.is_null() && fallback) return *fallback;
  if (!node.value->is_boolean())
    return bad_input("{}: expected true or false, found {}", node.where, node.value->type_name());
  return node.value->get<bool>();
}

Result<std::int64_t> JsonNode::integer(std::string_view key) const {
  const JsonNode node = member(key);
  const bool fits = node.value->is_number_integer() &&
                    (!node.value->is_number_unsigned() || node.value->get<std::uint64_t>() <= INT64_MAX);
  if (!fits) return bad_input("{}: expected an integer, found {}", node.where, node.value->type_name());
  return node.value->get<std::int64_t>();
}

Result<std::string> JsonNode::string(std::string_view key) const {
  const JsonNode node = member(key);
  if (!node.value->is_string())
    return bad_input("{}: expected a string, found {}", node.where, node.value->type_name());
  return node.value->get<std::string>();
}

Result<std::optional<std::string>> JsonNode::optional_string(std::string_view key) const {
  const JsonNode node = member(key);
  if (node.is_null()) return std::optional<std::string>();
  if (!node.value->is_string())
    return bad_input("{}: expected a string, found {}", node.where, node.value->type_name());
  return std::optional<std::string>(node.value->get<std::string>());
}

}  // namespace engine
