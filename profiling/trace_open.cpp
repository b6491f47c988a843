#include <unistd.h>

#include <cstring>
#include <string_view>

#include "profiling/schema.hpp"
#include "profiling/trace_file.hpp"
#include "profiling/trace_header.hpp"

namespace profiling {
namespace {

namespace fs = std::filesystem;

constexpr int kBusyTimeoutMs = 2000;
// Checking every page takes up to 3 ms per MB; of a larger trace only what is read is checked.
constexpr std::uint64_t kLargestFullCheck = 8 << 20;

bool has_content(const fs::path& path, const char* suffix) {
  std::error_code error;
  const auto bytes = fs::file_size(path.string() + suffix, error);
  return !error && bytes > 0;
}

engine::Status check_header(const fs::path& path, const TraceHeader& header) {
  if (header.application_id != static_cast<std::uint32_t>(kApplicationId)) {
    return engine::bad_input(
        "trace '{}': an SQLite file of another program, expected a trace recorded by DMScope", path.string());
  }
  if (header.user_version > static_cast<std::uint32_t>(kSchemaVersion)) {
    return engine::bad_input("trace '{}': schema version {} is newer than {}, the newest this program knows",
                             path.string(), header.user_version, kSchemaVersion);
  }
  if (header.user_version < static_cast<std::uint32_t>(kOldestSchemaVersion)) {
    return engine::bad_input("trace '{}': schema version {}, expected {} to {}", path.string(),
                             header.user_version, kOldestSchemaVersion, kSchemaVersion);
  }
  const auto expected = static_cast<std::uint64_t>(header.page_bytes * header.pages);
  // With a write-ahead log a checkpoint may be half done, and the log has the rest.
  if (header.file_bytes < expected && !has_content(path, "-wal")) {
    return engine::bad_input("trace '{}': cut off after {} of {} bytes", path.string(), header.file_bytes,
                             expected);
  }
  return {};
}

// A trace that a crash left in a state only a writer could read (a write-ahead log without its index, a hot
// rollback journal) is copied with its side files, and the copy recovered.
engine::Result<std::shared_ptr<const fs::path>> copy_trace(const fs::path& path) {
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "dmscope-trace-XXXXXX").string();
  if (error || ::mkdtemp(pattern.data()) == nullptr) {
    return engine::failed(
        "trace '{}': has to be copied to be read, and no temporary folder can be created ({})", path.string(),
        std::strerror(errno));
  }
  std::shared_ptr<const fs::path> folder(new fs::path(pattern), [](const fs::path* owned) {
    std::error_code ignored;
    fs::remove_all(*owned, ignored);
    delete owned;
  });
  for (const char* suffix : {"", "-wal", "-journal"}) {
    if (!fs::exists(path.string() + suffix)) continue;
    fs::copy_file(path.string() + suffix, (*folder / "trace").string() + suffix, error);
    if (error) {
      return engine::failed("trace '{}': cannot be copied to '{}' ({})", path.string(), folder->string(),
                            error.message());
    }
  }
  return folder;
}

engine::Result<OpenTrace> open_copy(const fs::path& path) {
  auto folder = copy_trace(path);
  if (!folder) return folder.error();
  auto db = Database::open(sqlite_uri(**folder / "trace", "mode=rw"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI,
                           path.string());
  if (!db) return db.error();
  return OpenTrace{*folder, std::move(*db)};
}

// Which of SQLite's ways to open a file changes nothing depends on what lies beside it.
engine::Result<OpenTrace> open_unchanged(const fs::path& path, const TraceHeader& header) {
  const bool log = has_content(path, "-wal");
  const bool index = has_content(path, "-shm");
  std::string_view parameters = "mode=ro";
  if (header.write_ahead && log) {
    if (!index) return open_copy(path);
    // Without write access to the index SQLite builds a private one when no writer is alive.
    parameters = "mode=ro&readonly_shm=1";
  } else if (header.write_ahead) {
    parameters = "mode=ro&immutable=1";  // everything is in the file; do not create an empty log
  } else if (has_content(path, "-journal")) {
    return open_copy(path);
  }
  auto db =
      Database::open(sqlite_uri(path, parameters), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, path.string());
  if (!db) return db.error();
  return OpenTrace{nullptr, std::move(*db)};
}

// A trace is not trusted: no functions with side effects, no writable schema, bounded values.
void harden(Database& db) {
  sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_busy_timeout(db.handle(), kBusyTimeoutMs);
}

// The tables must read exactly as this version creates them, so that no view or computed column of a hostile
// file stands in for one.
engine::Status check_schema(const Database& db, std::int32_t version) {
  Statement select = db.prepare("SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?");
  for (const SchemaTable& table : raw_tables(version)) {
    const bool found = select.bind(table.name).step();
    if (const auto status = select.status(); !status) return status;
    if (!found || select.text(0) != table.sql) {
      return engine::bad_input("trace '{}': damaged (table {} is {})", db.trace(), table.name,
                               found ? "not as this version defines it" : "missing");
    }
    select.reset();
  }
  return {};
}

engine::Status check_pages(const Database& db, std::uint64_t bytes) {
  if (bytes > kLargestFullCheck) return {};
  const auto verdict = db.text("PRAGMA quick_check(1)");
  if (!verdict) return verdict.error();
  if (*verdict == "ok") return {};
  const std::string first_line = verdict->substr(0, verdict->find('\n'));
  return engine::bad_input("trace '{}': damaged ({})", db.trace(), first_line);
}

}  // namespace

engine::Result<OpenTrace> open_trace(const fs::path& path) {
  const auto header = read_trace_header(path);
  if (!header) return header.error();
  if (const auto status = check_header(path, *header); !status) return status.error();
  auto trace = open_unchanged(path, *header);
  if (!trace) return trace.error();
  harden(trace->db);
  const auto version = static_cast<std::int32_t>(header->user_version);
  if (const auto status = check_schema(trace->db, version); !status) return status.error();
  if (const auto status = check_pages(trace->db, header->file_bytes); !status) return status.error();
  if (const std::string sql = upgrade_sql(version); !sql.empty()) {
    if (const auto status = trace->db.exec(sql); !status) return status.error();
  }
  return trace;
}

}  // namespace profiling
