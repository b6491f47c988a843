// Strict reading of the small JSON objects that describe a tokenizer's components: each getter checks
// presence and type and words the error with file and key.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/events/result.hpp"

namespace engine {

// One object and where it stands, e.g. "model/tokenizer.json: pre_tokenizer.pretokenizers[1]".
struct JsonNode {
  const nlohmann::json* value = nullptr;
  std::string where;

  // Member `key`; null JSON where absent.
  JsonNode member(std::string_view key) const;
  JsonNode element(std::size_t index) const;

  bool is_null() const { return value->is_null(); }
  Status expect_object() const;
  Status expect_array() const;

  // With a default the member may be absent or null; without, that is an error.
  Result<bool> boolean(std::string_view key, std::optional<bool> fallback = std::nullopt) const;
  Result<std::int64_t> integer(std::string_view key) const;
  Result<std::string> string(std::string_view key) const;
  Result<std::optional<std::string>> optional_string(std::string_view key) const;
  Result<std::string> type() const { return string("type"); }
};

}  // namespace engine
