#include "app/view/step_tokens.hpp"

#include <algorithm>
#include <ranges>

namespace app::view {

TokenRange tokens_of_step(const SequenceView& sequence, engine::Step step) {
  return {sequence.processed_by(step - 1), sequence.processed_by(step)};
}

TokenRange tokens_of_times(const RunSnapshot& run, const SequenceView& sequence, TimeRange times) {
  // Steps follow each other in time.
  const auto indices = std::views::iota(0, run.step_count());
  const std::int32_t first = *std::ranges::partition_point(
      indices, [&](std::int32_t index) { return run.step(index).end_ns <= times.begin_ns; });
  const std::int32_t end = *std::ranges::partition_point(
      indices, [&](std::int32_t index) { return run.step(index).start_ns < times.end_ns; });
  if (first >= end) return {};
  return {tokens_of_step(sequence, run.step(first).step).begin,
          tokens_of_step(sequence, run.step(end - 1).step).end};
}

}  // namespace app::view
