#include "profiling/occupancy_stream.hpp"

namespace profiling {

OccupancyStream::OccupancyStream(const Database& db, const engine::RunStarted& run)
    : db_(db),
      heads_(static_cast<std::size_t>(run.shape.layers) * static_cast<std::size_t>(run.shape.kv_heads)),
      page_slots_(run.page_slots),
      runs_(db.prepare(
          fmt::format("SELECT {} FROM occupancy_runs WHERE sequence = ? AND id > ? ORDER BY id LIMIT 1",
                      kOccupancyRunColumns))) {}

engine::Result<bool> OccupancyStream::read_run(std::int64_t sequence, Position& position) {
  runs_.bind(sequence, position.last_row);
  const bool found = runs_.step();
  if (found) {
    position.run = OccupancyRun::from_row(runs_, heads_);
    if (!position.run) {
      return engine::bad_input("trace '{}': damaged (occupancy of sequence {}, row {})", db_.trace(),
                               sequence, runs_.integer(0));
    }
    position.last_row = position.run->id;
    position.taken = 0;
    position.state = position.run->first;
  }
  if (const auto status = runs_.status(); !status) return status.error();
  runs_.reset();
  return found;
}

void OccupancyStream::refresh() {
  for (auto& [sequence, position] : positions_) position.may_have_grown = position.run.has_value();
}

engine::Status OccupancyStream::reread_run(std::int64_t sequence, Position& position) {
  position.may_have_grown = false;
  runs_.bind(sequence, position.last_row - 1);
  if (runs_.step()) {
    auto run = OccupancyRun::from_row(runs_, heads_);
    if (!run || run->id != position.last_row || run->steps < position.taken) {
      return engine::bad_input("trace '{}': damaged (occupancy of sequence {}, row {})", db_.trace(),
                               sequence, position.last_row);
    }
    position.run = std::move(run);
  }
  auto status = runs_.status();
  runs_.reset();
  return status;
}

engine::Result<OccupancyStream::Next> OccupancyStream::next(std::int64_t sequence) {
  Position& position = positions_[sequence];
  if (position.may_have_grown && position.taken == position.run->steps) {
    if (const auto status = reread_run(sequence, position); !status) return status.error();
  }
  if (!position.run || position.taken == position.run->steps) {
    const auto found = read_run(sequence, position);
    if (!found) return found.error();
    if (!*found) return Next{};
  }
  if (position.taken > 0) position.run->advance(position.state, position.taken, page_slots_);
  const std::int64_t step = position.run->first_step + position.taken++;
  return Next{step, &position.state};
}

}  // namespace profiling
