// Emits the events of a trace again, in the order of its event log.
#pragma once

#include "engine/events/events.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

engine::Status replay_events(const Database& db, const engine::RunStarted& run, engine::EventSink& sink);

}  // namespace profiling
