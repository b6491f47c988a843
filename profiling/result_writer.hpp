// Query results as text: CSV with a header line (quoted as RFC 4180 says, lines end in "\n"), or one JSON
// array of objects. NULL is an empty field or null, blobs are lower-case hexadecimal, infinities are 1e999 in
// JSON.
#pragma once

#include <ostream>
#include <stop_token>

#include "profiling/sqlite_db.hpp"

namespace profiling {

// Steps the statement to its end. A stopped request and a stream that fails are errors.
engine::Status write_csv(Statement& rows, std::ostream& out, const std::stop_token& stop);
engine::Status write_json(Statement& rows, std::ostream& out, const std::stop_token& stop);

}  // namespace profiling
