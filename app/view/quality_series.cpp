#include "app/view/quality_series.hpp"

#include <algorithm>
#include <cmath>

namespace app::view {

namespace {

bool is_before(const MeasuredValue& value, std::int32_t position) {
  return value.position < position;
}

}  // namespace

bool QualitySeries::belongs(const RunSnapshot& run, const SequenceView& sequence,
                            const QualityPoint& point) const {
  if (run.measure(point.measure) != measure_ || !std::isfinite(point.value)) return false;
  const SequenceView* owner = &sequence;
  // Parents have smaller ids than their forks; a damaged trace may say otherwise and must not loop.
  for (std::size_t hops = 0; owner != nullptr && hops <= run.sequences().size(); ++hops) {
    if (owner->id() == point.sequence) return true;
    if (owner->parent() < 0 || point.position >= owner->fork_position()) return false;
    owner = run.sequence(owner->parent());
  }
  return false;
}

void QualitySeries::add(const QualityPoint& point) {
  const auto place = std::lower_bound(values_.begin(), values_.end(), point.position, is_before);
  if (place != values_.end() && place->position == point.position) return;  // told twice: the first counts
  const auto index = static_cast<std::size_t>(place - values_.begin());
  values_.insert(place, {point.position, point.value, 0});
  sum_ += point.value;
  if (values_.size() > 1 && index <= greatest_) ++greatest_;
  if (values_.size() == 1 || point.value > values_[greatest_].value) greatest_ = index;
  // Usually the last one only.
  for (std::size_t i = index; i < values_.size() && i < index + kRunning; ++i) {
    const std::size_t first = i + 1 >= kRunning ? i + 1 - kRunning : 0;
    double sum = 0;
    for (std::size_t k = first; k <= i; ++k) sum += values_[k].value;
    values_[i].running = sum / static_cast<double>(i + 1 - first);
  }
}

void QualitySeries::update(const RunSnapshot& run, const SequenceView& sequence) {
  if (run.run_id() != run_id_ || sequence.id() != sequence_) {
    run_id_ = run.run_id();
    sequence_ = sequence.id();
    known_ = 0;
    values_.clear();
    greatest_ = 0;
    sum_ = 0;
  }
  for (; known_ < run.quality_count(); ++known_) {
    const QualityPoint& point = run.quality(known_);
    if (belongs(run, sequence, point)) add(point);
  }
}

std::optional<double> QualitySeries::mean() const {
  if (values_.empty()) return std::nullopt;
  return sum_ / static_cast<double>(values_.size());
}

const MeasuredValue* QualitySeries::greatest() const {
  return values_.empty() ? nullptr : &values_[greatest_];
}

const MeasuredValue* QualitySeries::nearest(std::int32_t position) const {
  if (values_.empty()) return nullptr;
  auto place = std::lower_bound(values_.begin(), values_.end(), position, is_before);
  if (place == values_.end() ||
      (place != values_.begin() && position - (place - 1)->position < place->position - position))
    --place;
  return &*place;
}

}  // namespace app::view
