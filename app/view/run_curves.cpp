#include "app/view/run_curves.hpp"

#include <algorithm>

namespace app::view {

std::int32_t prompt_positions(const SequenceView& sequence) {
  std::int32_t low = 0, high = sequence.tokens();
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    if (sequence.token(middle).phase == engine::Phase::prefill) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

double processing_rate(const RunSnapshot& run, const SequenceView& sequence, std::int32_t position) {
  if (position < 0 || position >= sequence.tokens()) return 0;
  const std::int32_t index = run.step_index(sequence.token(position).step);
  if (index < 0) return 0;
  const StepRecord& step = run.step(index);
  const double seconds = static_cast<double>(step.end_ns - step.start_ns) * 1e-9;
  if (seconds <= 0) return 0;
  // In decode a step advances each of the batch's sequences by one; a prefill chunk is of one sequence.
  return (step.phase == engine::Phase::decode ? 1 : static_cast<double>(step.tokens)) / seconds;
}

void RunCurves::update(const CacheView& cache, const ScrubAxis& axis) {
  const bool other =
      cache.run().run_id() != run_id_ || cache.sequence().id() != sequence_ || cache.positions() < known_;
  if (other) {
    live_.clear();
    rates_.clear();
    known_ = 0;
    fastest_ = 0;
    run_id_ = cache.run().run_id();
    sequence_ = cache.sequence().id();
  }
  if (other || !(axis == axis_)) {
    axis_ = axis;
    columns_.clear();
    columns_of_ = 0;
  }
  extend(cache);
  if (columns_of_ == known_) return;
  // The pixel that shows the last known position may have got more of them.
  if (columns_of_ > 0) {
    const auto first = static_cast<std::size_t>(axis_.pixel_of(columns_of_ - 1));
    columns_.resize(std::min(columns_.size(), first));
  }
  for (auto pixel = static_cast<std::int32_t>(columns_.size()); pixel < axis_.width(); ++pixel) {
    const TokenRange positions = axis_.at(pixel);
    if (positions.begin >= known_) break;
    columns_.push_back(column({positions.begin, std::min(positions.end, known_)}));
  }
  columns_of_ = known_;
}

void RunCurves::extend(const CacheView& cache) {
  const std::int32_t positions = cache.positions();
  if (positions == known_) return;
  live_.resize(static_cast<std::size_t>(positions));
  rates_.resize(static_cast<std::size_t>(positions));
  const auto first = static_cast<std::size_t>(known_);
  cache.live_totals(known_, std::span(live_).subspan(first));
  for (std::int32_t position = known_; position < positions; ++position) {
    const bool sampled = cache.sequence().token(position).phase == engine::Phase::decode;
    const float rate =
        sampled ? static_cast<float>(processing_rate(cache.run(), cache.sequence(), position)) : 0;
    rates_[static_cast<std::size_t>(position)] = rate;
    fastest_ = std::max(fastest_, rate);
  }
  known_ = positions;
}

CurveColumn RunCurves::column(TokenRange positions) const {
  CurveColumn made;
  for (std::int32_t position = positions.begin; position < positions.end; ++position) {
    const float rate = rates_[static_cast<std::size_t>(position)];
    if (rate <= 0) continue;
    made.slowest = made.slowest > 0 ? std::min(made.slowest, rate) : rate;
    made.fastest = std::max(made.fastest, rate);
  }
  made.live_slots = live_[static_cast<std::size_t>(positions.end - 1)];
  return made;
}

}  // namespace app::view
