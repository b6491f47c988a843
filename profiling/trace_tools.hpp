// A trace as numbers, for other tools: statistics, SQL, Perfetto and CSV. What the command line calls.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <stop_token>
#include <string>

#include "engine/events/result.hpp"

namespace profiling {

// The JSON object of `dmscope stats TRACE --json` (keys: docs/trace-format.md).
engine::Result<std::string> stats_json(const std::filesystem::path& trace);
// The same for people: a few aligned lines.
engine::Result<std::string> stats_text(const std::filesystem::path& trace);

// Runs one read-only query with the TEMP virtual tables in place; CSV with a header line, or a JSON array of
// objects (see result_writer.hpp). Rows are written as they come; a stop request ends a query that takes
// long.
engine::Status run_sql(const std::filesystem::path& trace, const std::string& query, bool json,
                       std::ostream& out, const std::stop_token& stop = {});

// Chrome/Perfetto JSON trace events: steps, operations per layer, counters.
engine::Status export_perfetto(const std::filesystem::path& trace, const std::filesystem::path& out);
// One CSV file per public table, into a folder that is created.
engine::Status export_csv(const std::filesystem::path& trace, const std::filesystem::path& folder);

// "what this trace is" for `dmscope info TRACE`, and as JSON.
engine::Result<std::string> describe_trace(const std::filesystem::path& trace, bool json);

// The version of SQLite in use, such as "3.40.1".
std::string sqlite_version();

}  // namespace profiling
