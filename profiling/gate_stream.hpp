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

  // Makes the stream look again for what a growing trace holds now: tails may have become chunks meanwhile.
  void refresh();

 private:
  // What is left of the chunk (of all layers) or tail that was read last.
  struct Group {
    std::int64_t last_chunk = 0;    // row id
    bool no_more_chunks = false;    // as of the last refresh
    std::int64_t tail_columns = 0;  // read from tails: the next chunks begin with them
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::int64_t taken = 0;
    std::vector<float> logits;         // [count, heads]: a pass takes whole columns
    std::vector<std::uint8_t> marked;  // [count, heads]
  };

  engine::Result<bool> read_chunks(std::int64_t sequence, Group& group);
  engine::Result<bool> read_tail(std::int64_t sequence, std::int64_t position, Group& group);
  void unpack(Group& group) const;
  engine::Status skip_to(std::int64_t sequence, std::int64_t position, Group& group);
  engine::Error damaged(std::int64_t sequence, std::int64_t position) const;

  const Database& db_;
  const engine::RunStarted& run_;
  std::size_t heads_;
  std::map<std::int64_t, Group> groups_;
  Blob logits_, marked_;  // scratch: blobs of one group as stored, [heads, ...]
  Statement chunks_, tails_;
};

}  // namespace profiling
