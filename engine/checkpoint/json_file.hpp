// Strict reading of the small JSON files of a checkpoint: bounded size and depth, no duplicate keys, and
// values taken by key with the type and the range they must have. Internal to engine/checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/checkpoint/regular_file.hpp"
#include "engine/events/result.hpp"

namespace engine {

// Parses `text`, which must be one JSON object. Nesting beyond any checkpoint's and repeated keys are
// refused. Arrays and objects deeper than `max_kept_depth` are checked but left out (a training log holds its
// whole history); 1 keeps only what the root object holds directly.
Result<nlohmann::json> parse_json_object(std::string_view text, const std::string& file,
                                         std::size_t max_kept_depth = 64);

Result<nlohmann::json> read_json_object(const std::filesystem::path& path, std::uint64_t max_bytes,
                                        std::size_t max_kept_depth = 64);

// Takes values out of a JSON object. The first thing that is wrong is kept in error() and everything after it
// is without effect, so a caller reads all keys and checks once. null counts as absent.
class KeyReader {
 public:
  // `prefix` names the object inside the file, as in "rope_scaling."; the object must outlive the reader.
  KeyReader(const nlohmann::json& object, std::string file, std::string prefix = "")
      : object_(object), file_(std::move(file)), prefix_(std::move(prefix)) {}

  const std::optional<Error>& error() const { return error_; }
  const std::string& file() const { return file_; }

  bool has(const char* key) const { return find(key) != nullptr; }
  bool is_null(const char* key) const;                // given, as null
  const nlohmann::json* find(const char* key) const;  // nullptr where absent or null

  std::int32_t integer(const char* key, std::int32_t absent, std::int32_t lowest, std::int32_t highest);
  double number(const char* key, double absent);           // finite
  double positive_number(const char* key, double absent);  // finite and above 0
  bool boolean(const char* key, bool absent);
  std::optional<std::string> string(const char* key);
  const nlohmann::json* object(const char* key);  // nullptr where absent

  // Records the error "<file>: <prefix><key>: <text>" unless there is one already.
  template <typename... Args>
  void fail(std::string_view key, fmt::format_string<Args...> text, Args&&... args) {
    if (!error_) {
      error_ = bad_input("{}: {}{}: {}", file_, prefix_, printable(key),
                         fmt::format(text, std::forward<Args>(args)...));
    }
  }

  // Takes over the error of a reader of an object inside this one.
  void adopt(const KeyReader& inner) {
    if (!error_) error_ = inner.error_;
  }

 private:
  const nlohmann::json& object_;
  std::string file_;
  std::string prefix_;
  std::optional<Error> error_;
};

// A JSON value as an error message shows it: one short line.
std::string shown(const nlohmann::json& value);

}  // namespace engine
