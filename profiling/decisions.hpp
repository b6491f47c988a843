// The marked tokens of one sequence, decoded from gate_chunks and gate_tails.
#pragma once

#include <vector>

#include "engine/events/events.hpp"
#include "profiling/closed_form.hpp"
#include "profiling/sequences.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

// Marks of a sequence, [layers * kv_heads], with those it inherited from its ancestors.
engine::Result<std::vector<PositionBits>> read_marked(const Database& db, const engine::RunStarted& run,
                                                      const Sequences& sequences,
                                                      const SequenceRecord& record);

}  // namespace profiling
