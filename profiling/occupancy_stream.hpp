// The recorded cache states of each sequence, one after the other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "engine/events/events.hpp"
#include "profiling/occupancy_run.hpp"

namespace profiling {

class OccupancyStream {
 public:
  OccupancyStream(const Database& db, const engine::RunStarted& run);

  struct Next {
    std::int64_t step = 0;
    const OccupancyState* state = nullptr;  // valid until the next call; null: there is no further one
  };
  engine::Result<Next> next(std::int64_t sequence);

  // Makes the stream look again at the last row of each sequence, which grows while the trace is recorded.
  void refresh();

 private:
  struct Position {
    std::optional<OccupancyRun> run;
    std::int64_t last_row = 0;
    std::int64_t taken = 0;  // steps of the run
    bool may_have_grown = false;
    OccupancyState state;
  };
  engine::Result<bool> read_run(std::int64_t sequence, Position& position);
  engine::Status reread_run(std::int64_t sequence, Position& position);

  const Database& db_;
  std::size_t heads_;
  std::int32_t page_slots_;
  std::map<std::int64_t, Position> positions_;
  Statement runs_;
};

}  // namespace profiling
