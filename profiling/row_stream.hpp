// The rows of an append-only table in the order of their ids, over any number of read transactions.
#pragma once

#include <cstdint>
#include <string_view>

#include "profiling/sqlite_db.hpp"

namespace profiling {

class RowStream {
 public:
  // `select` has the row's id as its last column, and one parameter: the id after which to go on,
  // `after` at first.
  RowStream(const Database& db, std::string_view select, std::int64_t after = 0)
      : rows_(db.prepare(select)), last_id_(after) {}

  // False: there are no further rows now, or reading failed.
  bool next() {
    if (!open_) rows_.bind(last_id_);
    open_ = rows_.step();
    if (open_) {
      last_id_ = rows_.integer(rows_.columns() - 1);
    } else {
      rows_.reset();
    }
    return open_;
  }

  // Lets go of the read transaction; next() goes on behind the last row, in another one.
  void rest() {
    rows_.reset();
    open_ = false;
  }

  const Statement& row() const { return rows_; }
  engine::Status status() const { return rows_.status(); }

 private:
  Statement rows_;
  std::int64_t last_id_ = 0;
  bool open_ = false;
};

}  // namespace profiling
