// One consistent view of a trace that may still be growing, for as long as this object lives.
#pragma once

#include "profiling/sqlite_db.hpp"

namespace profiling {

class ReadTransaction {
 public:
  explicit ReadTransaction(const Database& db) : db_(db), status_(db.exec("BEGIN")) {}
  ~ReadTransaction() {
    const auto ignored = db_.exec("ROLLBACK");  // nothing was written
    static_cast<void>(ignored);
  }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

  const engine::Status& status() const { return status_; }

 private:
  const Database& db_;
  engine::Status status_;
};

}  // namespace profiling
