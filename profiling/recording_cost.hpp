// What recording a run cost and what it lost: the same figures while a trace is written and when it is read
// again.
#pragma once

#include <cstdint>
#include <optional>

namespace profiling {

struct RecordingCost {
  std::int64_t dropped_spans = 0;
  // Processor time of handing events over (engine's thread) and of writing them (the writer's own threads),
  // without the building of indexes at the end. Absent: the recording has not ended, or was cut short.
  std::optional<std::int64_t> busy_ns;

  // Of a run this long, 0 to 1 on one core; absent where it is unknown.
  std::optional<double> share_of(std::int64_t run_ns) const {
    if (!busy_ns || run_ns <= 0) return std::nullopt;
    return static_cast<double>(*busy_ns) / static_cast<double>(run_ns);
  }
  bool operator==(const RecordingCost&) const = default;
};

}  // namespace profiling
