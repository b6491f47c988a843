// The recorded decisions of each sequence as a stream of token columns, in the order they were judged: how
// replay cuts chunks and tails into the passes they came from.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "engine/events/events.hpp"
#include "profiling/event_log.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

class GateStream {
 public:
  GateStream(const Database& db, const engine::RunStarted& run);

  // The next `pass.count` columns of the sequence, which start at `pass.first_position`.
  engine::Result<engine::GatesDecided> take(const EventLogEntry& pass);

 private:
  // What is left of the chunk (of all layers) or tail that was read last.
  struct Group {
    std::int64_t last_chunk = 0;  // row ids
    std::int64_t last_tail = 0;
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::int64_t taken = 0;
    std::vector<std::uint16_t> logits;  // [heads, count]
    std::vector<std::uint8_t> marked;   // [heads, count]
  };

  engine::Result<bool> read_chunks(std::int64_t sequence, Group& group);
  engine::Result<bool> read_tail(std::int64_t sequence, Group& group);
  engine::Status skip_to(std::int64_t sequence, std::int64_t position, Group& group);
  engine::Error damaged(std::int64_t sequence, std::int64_t position) const;

  const Database& db_;
  const engine::RunStarted& run_;
  std::size_t heads_;
  std::map<std::int64_t, Group> groups_;
  Statement chunks_, tails_;
};

}  // namespace profiling
