// Trace files on the disk: creating one for the writer, and opening any file as a trace without changing it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "profiling/sqlite_db.hpp"

namespace profiling {

// A new trace, tables and views in place, in write-ahead mode. An existing trace is replaced only when asked;
// any other existing file, and a folder that cannot be written, are refused.
engine::Result<Database> create_trace(const std::filesystem::path& path, bool overwrite);

// Leaves write-ahead mode, so that the trace is one file again. The database is closed either way.
engine::Status close_trace(Database db);

// An open trace and, where it had to be copied to be read, the copy's lifetime.
struct OpenTrace {
  std::shared_ptr<const std::filesystem::path>
      copy;  // folder removed with the last owner; declared first: dies last
  Database db;
};

// Opens for reading. Missing, empty, foreign, cut, damaged and newer files are refused with a reason; neither
// the file nor its folder is changed, also when a crash left a write-ahead log that nobody has folded in. A
// trace that is being recorded can be opened too: every read transaction sees what is committed by then.
engine::Result<OpenTrace> open_trace(const std::filesystem::path& path);

}  // namespace profiling
