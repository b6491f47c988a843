#include "profiling/sqlite_db.hpp"

#include <limits>

namespace profiling {

engine::Error sqlite_error(const std::string& trace, int code, std::string_view message) {
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return engine::bad_input("trace '{}': not an SQLite file", trace);
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
      return engine::bad_input("trace '{}': damaged ({})", trace, message);
    case SQLITE_INTERRUPT:
      return {engine::ErrorCode::interrupted, fmt::format("trace '{}': interrupted", trace)};
    default:
      return engine::failed("trace '{}': {} (SQLite error {})", trace, message, code);
  }
}

std::string sqlite_uri(const std::filesystem::path& path, std::string_view parameters) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    uri += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return uri.append("?").append(parameters);
}

Statement::Statement(sqlite3* db, const std::string& trace, std::string_view sql) : trace_(&trace) {
  sqlite3_stmt* statement = nullptr;
  code_ = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                             &statement, nullptr);
  if (code_ != SQLITE_OK) message_ = sqlite3_errmsg(db);
  handle_.reset(statement);
}

void Statement::keep(int code) {
  if (code_ != SQLITE_OK || code == SQLITE_OK) return;
  code_ = code;
  message_ = handle_ ? sqlite3_errmsg(sqlite3_db_handle(handle_.get())) : sqlite3_errstr(code);
}

void Statement::bind_one(int index, std::string_view value) {
  const char* data = value.empty() ? "" : value.data();  // a null pointer would bind NULL
  keep(sqlite3_bind_text64(handle_.get(), index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_one(int index, BlobView value) {
  if (value.empty()) return keep(sqlite3_bind_zeroblob(handle_.get(), index, 0));
  keep(sqlite3_bind_blob64(handle_.get(), index, value.data(), value.size(), SQLITE_STATIC));
}

bool Statement::step() {
  if (code_ != SQLITE_OK || !handle_) return false;
  const int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) keep(result);
  return false;
}

engine::Status Statement::run() {
  while (step()) {
  }
  reset();
  return status();
}

void Statement::reset() {
  if (handle_) sqlite3_reset(handle_.get());
}

engine::Status Statement::status() const {
  if (code_ == SQLITE_OK) return {};
  return sqlite_error(*trace_, code_, message_);
}

double Statement::real(int column) const {
  if (is_null(column)) return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(handle_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* data = sqlite3_column_text(handle_.get(), column);
  const int bytes = sqlite3_column_bytes(handle_.get(), column);
  if (data == nullptr) return {};
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(bytes)};
}

BlobView Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_.get(), column));
  const int bytes = sqlite3_column_bytes(handle_.get(), column);
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(bytes)};
}

engine::Result<Database> Database::open(const std::string& name, int flags, const std::string& trace) {
  Database database;
  database.trace_ = std::make_shared<const std::string>(trace);
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  database.handle_.reset(handle);
  if (code != SQLITE_OK) return sqlite_error(trace, code, handle ? sqlite3_errmsg(handle) : "out of memory");
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  return database;
}

engine::Status Database::exec(const std::string& sql) const {
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  return sqlite_error(trace(), code, sqlite3_errmsg(handle()));
}

engine::Result<std::int64_t> Database::integer(std::string_view sql) const {
  Statement statement = prepare(sql);
  const std::int64_t value = statement.step() ? statement.integer(0) : 0;
  if (const auto status = statement.status(); !status) return status.error();
  return value;
}

engine::Result<std::string> Database::text(std::string_view sql) const {
  Statement statement = prepare(sql);
  std::string value(statement.step() ? statement.text(0) : std::string_view());
  if (const auto status = statement.status(); !status) return status.error();
  return value;
}

}  // namespace profiling
