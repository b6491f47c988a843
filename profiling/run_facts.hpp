// The facts of a run (RunStarted) as rows of meta, operation_names and kernel_names, and back.
#pragma once

#include "engine/events/events.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

engine::Status write_run(Database& db, const engine::RunStarted& run);
// Refuses shapes that no model has: everything sized by them trusts what this returns.
engine::Result<engine::RunStarted> read_run(const Database& db);

// One value of meta; nothing when the key is absent.
template <typename Value>
engine::Status write_meta(const Database& db, const char* key, const Value& value) {
  Statement insert = db.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)");
  return insert.bind(key, value).run();
}

}  // namespace profiling
