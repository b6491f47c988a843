// `dmscope sql`: one read-only query.
#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "profiling/read_transaction.hpp"
#include "profiling/result_writer.hpp"
#include "profiling/trace_access.hpp"
#include "profiling/trace_tools.hpp"
#include "profiling/virtual_tables.hpp"

namespace profiling {
namespace {

// Pragmas that only tell something.
constexpr std::array<std::string_view, 12> kReadingPragmas = {
    "table_info",    "table_xinfo", "table_list",     "index_list", "index_info",  "index_xinfo",
    "database_list", "page_count",  "freelist_count", "page_size",  "quick_check", "compile_options"};

int allow_reading(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return std::strcmp(second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA: {
      const bool known =
          std::find(kReadingPragmas.begin(), kReadingPragmas.end(), first) != kReadingPragmas.end();
      return known ? SQLITE_OK : SQLITE_DENY;
    }
    default:
      return SQLITE_DENY;
  }
}

// Called by SQLite every few thousand operations.
int stop_requested(void* stop) {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

engine::Error query_error(const Database& db) {
  if (sqlite3_errcode(db.handle()) == SQLITE_AUTH) {
    return engine::bad_input("query: {} (a trace can only be read)", sqlite3_errmsg(db.handle()));
  }
  return engine::bad_input("query: {}", sqlite3_errmsg(db.handle()));
}

// Refuses everything but one statement that reads.
engine::Status check_query(const Database& db, const std::string& query) {
  if (query.find('\0') != std::string::npos) return engine::bad_input("query: holds a NUL character");
  std::string_view rest = query;
  int statements = 0;
  while (!rest.empty()) {
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int code =
        sqlite3_prepare_v2(db.handle(), rest.data(), static_cast<int>(rest.size()), &statement, &tail);
    const bool reads = statement == nullptr || sqlite3_stmt_readonly(statement) != 0;
    statements += statement != nullptr ? 1 : 0;
    sqlite3_finalize(statement);
    if (code != SQLITE_OK && statements > 0) break;
    if (code != SQLITE_OK) return query_error(db);
    if (!reads) return engine::bad_input("query: it writes; a trace can only be read");
    rest.remove_prefix(static_cast<std::size_t>(tail - rest.data()));
  }
  if (statements == 0) return engine::bad_input("query: empty, expected one SQL statement");
  if (statements > 1 || !rest.empty()) return engine::bad_input("query: expected one SQL statement");
  return {};
}

// What SQLite says about a query that failed half-way is about the query, unless the file is damaged.
engine::Status as_query_status(const Statement& rows, const engine::Status& status) {
  if (status || rows.code() == SQLITE_OK || (rows.code() & 0xff) == SQLITE_INTERRUPT) return status;
  if ((rows.code() & 0xff) == SQLITE_CORRUPT) return status;
  return engine::bad_input("query: {}", sqlite3_errmsg(sqlite3_db_handle(rows.handle())));
}

}  // namespace

engine::Status run_sql(const std::filesystem::path& trace, const std::string& query, bool json,
                       std::ostream& out, const std::stop_token& stop) {
  const auto reader = TraceReader::open(trace);
  if (!reader) return reader.error();
  const Database& db = TraceAccess::database(**reader);
  const ReadTransaction transaction(db);
  if (!transaction.status()) return transaction.status();
  if (auto status = create_temp_tables(db, (*reader)->run()); !status) return status;
  sqlite3_set_authorizer(db.handle(), allow_reading, nullptr);
  sqlite3_progress_handler(db.handle(), 10'000, stop_requested, const_cast<std::stop_token*>(&stop));
  auto status = check_query(db, query);
  if (status) {
    Statement rows = db.prepare(query);
    status = as_query_status(rows, json ? write_json(rows, out, stop) : write_csv(rows, out, stop));
  }
  sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
  sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  return status;
}

}  // namespace profiling
