// What recording costs: the same greedy run with a trace and timed operations, and without either.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "engine/backend/backend.hpp"
#include "engine/events/result.hpp"

namespace app {

struct RecordingPair {
  double plain_tokens_per_second = 0;
  double recorded_tokens_per_second = 0;
  double cost() const { return 1 - recorded_tokens_per_second / plain_tokens_per_second; }
};

// Both take turns several times, in runs of under a second: the speed of a shared machine changes from one
// second to the next. `recorded_first` alternates between pairs, so that a machine that slows down favours
// neither. Traces are written into `folder`.
engine::Result<RecordingPair> measure_recording(const std::shared_ptr<const engine::Model>& model,
                                                const engine::BackendOptions& backend, bool recorded_first,
                                                const std::filesystem::path& folder, std::stop_token stop);

}  // namespace app
