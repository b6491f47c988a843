// Live slots of one sequence at chosen positions, from its decisions or, without a closed form, its
// evictions.
#pragma once

#include <vector>

#include "engine/events/events.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

// [layers, kv_heads, count], see TraceReader::live_slots.
engine::Result<std::vector<std::int32_t>> sequence_live_slots(const Database& db,
                                                              const engine::RunStarted& run,
                                                              std::int64_t sequence, std::int32_t first,
                                                              std::int32_t count);

}  // namespace profiling
