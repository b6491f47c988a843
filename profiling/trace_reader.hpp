// Reads a saved trace, or one that is still being recorded. Opening checks that the file is a trace of a
// version we know and is whole (cut, foreign, newer or damaged files are refused with a reason) and never
// changes it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"

namespace profiling {

class TraceReader {
 public:
  static engine::Result<std::unique_ptr<TraceReader>> open(const std::filesystem::path& path);
  ~TraceReader();

  const engine::RunStarted& run() const;

  // Emits the events of the run again, in order, to `sink`. What replay() emits is what was recorded, except
  // that gates of neighbouring passes may be joined into longer chunks.
  engine::Status replay(engine::EventSink& sink) const;

  // Live slots of (layer, kv_head) of one sequence after each position in [first, first + count), [layers,
  // kv_heads, count], from the closed form where the policy has one, else from the recorded evictions.
  engine::Result<std::vector<std::int32_t>> live_slots(engine::SequenceId sequence, std::int32_t first,
                                                       std::int32_t count) const;

 private:
  struct State;
  explicit TraceReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
  friend struct TraceAccess;
};

}  // namespace profiling
