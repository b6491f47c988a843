// gates, decisions, evictions and occupancy as virtual tables: the rows of the views of those names, decoded
// in C++, with constraints on integer columns narrowing what is read.
#pragma once

#include "engine/events/events.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

// Creates them in the connection's TEMP schema, together with the other public views. `db` and `run` must
// outlive every statement on the connection; a read transaction must be open.
engine::Status create_temp_tables(const Database& db, const engine::RunStarted& run);

}  // namespace profiling
