#include "profiling/result_writer.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace profiling {
namespace {

std::string hex(BlobView blob) {
  std::string digits;
  digits.reserve(blob.size() * 2);
  for (const std::uint8_t byte : blob) {
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits;
}

// The shortest text that reads back as the same number, and reads as a real one.
std::string real_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string csv_quoted(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

std::string csv_field(const Statement& rows, int column) {
  switch (rows.type(column)) {
    case SQLITE_INTEGER:
      return fmt::format("{}", rows.integer(column));
    case SQLITE_FLOAT:
      return real_text(rows.real(column));
    case SQLITE_BLOB:
      return hex(rows.blob(column));
    case SQLITE_TEXT:
      return csv_quoted(rows.text(column));
    default:
      return "";
  }
}

// Text that is not UTF-8 (only a damaged trace has it) gets U+FFFD.
std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_value(const Statement& rows, int column) {
  switch (rows.type(column)) {
    case SQLITE_INTEGER:
      return fmt::format("{}", rows.integer(column));
    case SQLITE_FLOAT: {
      const double value = rows.real(column);
      return std::isinf(value) ? (value > 0 ? "1e999" : "-1e999") : real_text(value);
    }
    case SQLITE_BLOB:
      return fmt::format("\"{}\"", hex(rows.blob(column)));
    case SQLITE_TEXT:
      return json_string(rows.text(column));
    default:
      return "null";
  }
}

std::string column_name(const Statement& rows, int column) {
  const char* name = sqlite3_column_name(rows.handle(), column);
  return name == nullptr ? "" : name;
}

engine::Status check(const std::ostream& out, const std::stop_token& stop) {
  if (stop.stop_requested()) return engine::Error{engine::ErrorCode::interrupted, "interrupted"};
  if (!out) return engine::failed("the output cannot be written");
  return {};
}

}  // namespace

engine::Status write_csv(Statement& rows, std::ostream& out, const std::stop_token& stop) {
  const int columns = rows.columns();
  for (int i = 0; i < columns; ++i) out << (i == 0 ? "" : ",") << csv_quoted(column_name(rows, i));
  out << '\n';
  std::string line;
  while (rows.step()) {
    line.clear();
    for (int i = 0; i < columns; ++i) {
      if (i > 0) line += ',';
      line += csv_field(rows, i);
    }
    out << line << '\n';
    if (auto status = check(out, stop); !status) return status;
  }
  out.flush();
  return rows.status() ? check(out, stop) : rows.status();
}

engine::Status write_json(Statement& rows, std::ostream& out, const std::stop_token& stop) {
  std::vector<std::string> names;
  for (int i = 0; i < rows.columns(); ++i) names.push_back(json_string(column_name(rows, i)) + ":");
  const char* separator = "[\n";
  while (rows.step()) {
    std::string line = std::exchange(separator, ",\n");
    for (std::size_t i = 0; i < names.size(); ++i) {
      line += i == 0 ? '{' : ',';
      line += names[i] + json_value(rows, static_cast<int>(i));
    }
    out << line << '}';
    if (auto status = check(out, stop); !status) return status;
  }
  if (!rows.status()) return rows.status();
  out << (separator[0] == '[' ? "[]\n" : "\n]\n");
  out.flush();
  return check(out, stop);
}

}  // namespace profiling
