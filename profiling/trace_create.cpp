#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "profiling/run_facts.hpp"
#include "profiling/schema.hpp"
#include "profiling/trace_file.hpp"
#include "profiling/trace_header.hpp"

namespace profiling {
namespace {

namespace fs = std::filesystem;

constexpr int kBusyTimeoutMs = 2000;
constexpr std::chrono::milliseconds kReadersLetGo{400};

void remove_trace(const fs::path& path) {
  std::error_code ignored;
  for (const char* suffix : {"-wal", "-shm", "-journal", ""})
    fs::remove(fs::path(path.string() + suffix), ignored);
}

engine::Status make_room(const fs::path& path, bool overwrite) {
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return {};
  const auto header = read_trace_header(path);
  if (!header || header->application_id != static_cast<std::uint32_t>(kApplicationId)) {
    return engine::bad_input("trace '{}': exists and is not a trace, so it is not replaced", path.string());
  }
  if (!overwrite) return engine::bad_input("trace '{}': exists already", path.string());
  remove_trace(path);
  return {};
}

// Creates the file itself, because errno says more than SQLite's "unable to open database file".
engine::Status create_file(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
  if (descriptor >= 0) {
    ::close(descriptor);
    return {};
  }
  const int reason = errno;
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  switch (reason) {
    case ENOENT:
    case ENOTDIR:
      if (fs::is_directory(folder)) {  // of a file system that creates nothing, such as /proc
        return engine::bad_input("trace '{}': folder '{}' is not writable", path.string(), folder);
      }
      return engine::bad_input("trace '{}': there is no folder '{}'", path.string(), folder);
    case EACCES:
    case EPERM:
    case EROFS:
      return engine::bad_input("trace '{}': folder '{}' is not writable ({})", path.string(), folder,
                               std::strerror(reason));
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EINVAL:
      return engine::bad_input("trace '{}': {}", path.string(), std::strerror(reason));
    default:
      break;
  }
  return engine::failed("trace '{}': cannot be created ({})", path.string(), std::strerror(reason));
}

engine::Status create_schema(Database& db) {
  std::string sql = fmt::format(
      "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE; PRAGMA encoding = 'UTF-8'; "
      "PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY; PRAGMA application_id = {}; "
      "PRAGMA user_version = {}; BEGIN;",
      kApplicationId, kSchemaVersion);
  for (const SchemaTable& table : raw_tables()) sql.append(table.sql).append(";");
  for (const SchemaView& view : public_views()) sql.append(view.create(false)).append(";");
  return db.exec(sql + "COMMIT;");
}

// A committed row makes the write-ahead log non-empty, by which open_trace() knows that it has to be read.
engine::Status enter_write_ahead_mode(Database& db) {
  const auto mode = db.text("PRAGMA journal_mode = WAL");
  if (!mode) return mode.error();
  if (*mode != "wal") {
    return engine::failed("trace '{}': the file system cannot hold a write-ahead log", db.trace());
  }
  if (auto status = db.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0"); !status)
    return status;
  return write_meta(db, "schema_version", std::int64_t{kSchemaVersion});
}

engine::Result<Database> create_database(const fs::path& path) {
  auto db =
      Database::open(sqlite_uri(path, "mode=rw"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, path.string());
  if (!db) return db.error();
  sqlite3_busy_timeout(db->handle(), kBusyTimeoutMs);
  if (const auto status = create_schema(*db); !status) return status.error();
  if (const auto status = enter_write_ahead_mode(*db); !status) return status.error();
  return db;
}

}  // namespace

engine::Result<Database> create_trace(const fs::path& path, bool overwrite) {
  if (path.empty()) return engine::bad_input("trace '': expected a file name");
  if (const auto status = make_room(path, overwrite); !status) return status.error();
  if (const auto status = create_file(path); !status) return status.error();
  auto db = create_database(path);
  if (!db) remove_trace(path);
  return db;
}

// Changing the mode needs the file for ourselves. Who follows the recording lets go of it on reading its end;
// with any other reader attached it stays in write-ahead mode, which every reader copes with: nothing is
// lost.
engine::Status close_trace(Database db) {
  const auto patience = std::chrono::steady_clock::now() + kReadersLetGo;
  while (true) {
    const auto mode = db.text("PRAGMA journal_mode = DELETE");
    if (mode) return {};
    if ((sqlite3_errcode(db.handle()) & 0xff) != SQLITE_BUSY) return mode.error();
    if (std::chrono::steady_clock::now() > patience) return {};
    std::this_thread::sleep_for(kReadersLetGo / 20);
  }
}

}  // namespace profiling
