// Emits the events of a trace again, in the order of its event log, in one go or in portions.
//
// A Replay keeps its place in every table between two portions and holds no rows meanwhile, so that each
// portion can have a read transaction of its own while the trace grows. One thread at a time.
#pragma once

#include <functional>
#include <map>

#include "engine/events/events.hpp"
#include "profiling/event_log.hpp"
#include "profiling/gate_stream.hpp"
#include "profiling/occupancy_stream.hpp"
#include "profiling/row_stream.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

// Called after every logged transaction with the id of its row; false ends the portion early.
using ReplayProgress = std::function<bool(std::int64_t log_id)>;

class Replay {
 public:
  Replay(const Database& db, const engine::RunStarted& run);  // both outlive it

  // Emits everything from the last portion's end on, inside the caller's read transaction. After a failure,
  // and after an early end, no further portion can follow.
  engine::Status emit_new(engine::EventSink& sink, const ReplayProgress& progress = {});

  bool finished() const { return finished_; }  // RunFinished has been emitted

 private:
  engine::Status emit_logged(engine::EventSink& sink, const ReplayProgress& progress);
  engine::Status emit(const EventLogEntry& entry, engine::EventSink& sink);
  engine::Status emit_sequence(engine::EventSink& sink);
  engine::Status emit_token(engine::EventSink& sink);
  engine::Status emit_evicted(engine::EventSink& sink);
  engine::Status emit_occupancy(std::int64_t sequence, engine::EventSink& sink);
  engine::Status emit_step(engine::EventSink& sink);
  engine::Status emit_spans(std::int64_t count, engine::EventSink& sink);
  engine::Status emit_parameter(engine::EventSink& sink);
  engine::Status emit_quality(engine::EventSink& sink);
  engine::Status emit_notice(engine::EventSink& sink);
  engine::Status emit_finished(engine::EventSink& sink);
  engine::Status emit_kernels(std::int64_t count, engine::EventSink& sink);
  engine::Status emit_track(engine::EventSink& sink);
  engine::Status emit_counters(std::int64_t count, engine::EventSink& sink);
  engine::Status emit_lost(engine::EventSink& sink);

  void rest();
  engine::Status read_span_kinds();
  engine::Status next(RowStream& rows, const char* what) const;
  engine::Error damaged(const char* what) const;

  const Database& db_;
  const engine::RunStarted& run_;
  EventLogCodec log_;
  GateStream gates_;
  OccupancyStream occupancy_;
  bool finished_ = false;
  std::map<std::int64_t, engine::Span> span_kinds_;
  RowStream transactions_, sequences_, tokens_, evicted_, steps_, spans_, parameters_, quality_, notices_,
      kernels_, tracks_, counters_, losses_;
};

}  // namespace profiling
