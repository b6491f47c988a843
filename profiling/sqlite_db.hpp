// The one door to SQLite: an owning connection and an owning prepared statement.
//
// A statement carries its own status: after a failed prepare, bind or step every further call does nothing
// and status() tells the first error, so a loop over rows is checked once, after it. Messages name the trace.
// Neither class may be used by two threads at once.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/result.hpp"

namespace profiling {

using Blob = std::vector<std::uint8_t>;
using BlobView = std::span<const std::uint8_t>;

// The longest text or blob read from or written to a trace; the longest one meant is a prompt or a notice.
inline constexpr int kMaxValueBytes = 64 << 20;

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, const std::string& trace, std::string_view sql);

  // Binds values to ?1, ?2, ...; texts and blobs are not copied and must live until the statement is reset.
  template <typename... Values>
  Statement& bind(const Values&... values) {
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }

  // Binds ?index (from 1) alone, for statements with many like parameters.
  void bind_at(int index, std::int64_t value) { bind_one(index, value); }

  bool step();           // true: a row is there; false: done, or failed
  engine::Status run();  // steps to the end and resets
  void reset();          // ready for the next bind and step; keeps an error
  engine::Status status() const;
  int code() const { return code_; }

  int columns() const { return sqlite3_column_count(handle_.get()); }
  int type(int column) const { return sqlite3_column_type(handle_.get(), column); }
  bool is_null(int column) const { return type(column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  double real(int column) const;  // NaN for NULL, which is how SQLite stores one
  std::string_view text(int column) const;
  BlobView blob(int column) const;  // valid until the next step
  sqlite3_stmt* handle() const { return handle_.get(); }

 private:
  void bind_one(int index, std::int64_t value) { keep(sqlite3_bind_int64(handle_.get(), index, value)); }
  void bind_one(int index, std::int32_t value) { bind_one(index, std::int64_t{value}); }
  void bind_one(int index, double value) { keep(sqlite3_bind_double(handle_.get(), index, value)); }
  void bind_one(int index, std::string_view value);
  void bind_one(int index, const std::string& value) { bind_one(index, std::string_view(value)); }
  void bind_one(int index, const char* value) { bind_one(index, std::string_view(value)); }
  void bind_one(int index, BlobView value);
  void bind_one(int index, const Blob& value) { bind_one(index, BlobView(value)); }
  void bind_one(int index, std::nullptr_t) { keep(sqlite3_bind_null(handle_.get(), index)); }
  void keep(int code);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  const std::string* trace_ = nullptr;  // the connection's, for messages
  int code_ = SQLITE_OK;
  std::string message_;
};

class Database {
 public:
  // `name` is a path or a "file:" URI with parameters; messages call the database `trace`.
  static engine::Result<Database> open(const std::string& name, int flags, const std::string& trace);

  engine::Status exec(const std::string& sql) const;
  Statement prepare(std::string_view sql) const { return {handle_.get(), *trace_, sql}; }
  // The first column of the first row; 0 or "" when there is none.
  engine::Result<std::int64_t> integer(std::string_view sql) const;
  engine::Result<std::string> text(std::string_view sql) const;

  sqlite3* handle() const { return handle_.get(); }
  const std::string& trace() const { return *trace_; }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::shared_ptr<const std::string> trace_;  // shared: statements point at it, and a Database can be moved
  std::unique_ptr<sqlite3, Close> handle_;
};

// "file:" URI for a path; `parameters` like "mode=ro".
std::string sqlite_uri(const std::filesystem::path& path, std::string_view parameters);

// SQLite's error as one of ours: damage is the file's fault (bad_input), the rest is a failure of the work.
engine::Error sqlite_error(const std::string& trace, int code, std::string_view message);

}  // namespace profiling
