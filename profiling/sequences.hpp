// The sequences of a trace: who forked from whom, and which step processed which position.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "engine/events/events.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

// A sequence as it was started, with the steps of the positions it added itself.
struct SequenceRecord {
  engine::SequenceId sequence = 0;
  engine::SequenceId parent = -1;
  std::int32_t fork_position = 0;   // 0 without a parent
  std::int32_t first_position = 0;  // of its own tokens
  std::vector<std::int64_t> steps;  // [own tokens]; -1: added but never processed
  std::int32_t depth = 0;           // forks above it

  std::int32_t end_position() const { return first_position + static_cast<std::int32_t>(steps.size()); }
  // The step that processed `position`; -1 if this sequence itself did not.
  std::int64_t step_of(std::int64_t position) const;
  std::int32_t processed_end() const;  // one past the last processed position, its parents' included
};

class Sequences {
 public:
  // Refuses parents that do not come first and positions that are not consecutive.
  static engine::Result<Sequences> read(const Database& db);

  const std::vector<SequenceRecord>& all() const { return records_; }  // as they were started
  const SequenceRecord* find(std::int64_t sequence) const;

  // The sequence itself and its ancestors, nearest first, each with the end of the positions whose decisions
  // the sequence takes from it.
  struct Ancestor {
    const SequenceRecord* record = nullptr;
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
  };
  std::vector<Ancestor> lineage(const SequenceRecord& record, std::int32_t lag) const;

 private:
  std::vector<SequenceRecord> records_;
  std::map<std::int64_t, std::size_t> index_;
};

}  // namespace profiling
