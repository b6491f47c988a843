// A table whose rows are computed: what a virtual table of ours consists of.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>

#include "engine/events/events.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

// What a query asks of one integer column. Wider is always correct: SQLite checks every row again.
struct ColumnRange {
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
  bool contains(std::int64_t value) const { return low <= value && value <= high; }
};

struct TableContext {
  const Database& db;
  const engine::RunStarted& run;
};

class TableCursor {
 public:
  virtual ~TableCursor() = default;
  // Stands on the first row afterwards, if there is one; one range per column.
  virtual engine::Status start(std::span<const ColumnRange> ranges) = 0;
  virtual engine::Status next() = 0;
  virtual void column(int index, sqlite3_context* out) const = 0;
  bool at_end() const { return at_end_; }

 protected:
  bool at_end_ = true;
};

struct ComputedTable {
  const char* name;
  const char* columns;
  int column_count;
  std::unique_ptr<TableCursor> (*cursor)(const TableContext& context);
};

std::unique_ptr<TableCursor> gates_cursor(const TableContext& context);
std::unique_ptr<TableCursor> decisions_cursor(const TableContext& context);
std::unique_ptr<TableCursor> evictions_cursor(const TableContext& context);
std::unique_ptr<TableCursor> occupancy_cursor(const TableContext& context);

}  // namespace profiling
