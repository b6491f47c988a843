#include "app/view/run_snapshot.hpp"

#include <algorithm>
#include <cassert>

#include "app/view/run_store.hpp"

namespace app::view {

namespace {

// First index in [0, count) where `after(index)` holds; `count` if nowhere. `after` must be false, then true.
template <typename Predicate>
std::int32_t first_where(std::int32_t count, const Predicate& after) {
  std::int32_t low = 0;
  std::int32_t high = count;
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    if (after(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::size_t at(std::int32_t index) {
  assert(index >= 0);
  return static_cast<std::size_t>(index);
}

}  // namespace

engine::SequenceId SequenceView::id() const {
  return store_->id;
}
engine::SequenceId SequenceView::parent() const {
  return store_->parent;
}
std::int32_t SequenceView::fork_position() const {
  return store_->fork_position;
}

const Token& SequenceView::token(std::int32_t position) const {
  assert(position < tokens_);
  return store_->tokens[at(position)];
}

std::int32_t SequenceView::processed_by(engine::Step step) const {
  return first_where(processed_, [&](std::int32_t position) { return token(position).step > step; });
}

const GateChunk& SequenceView::gates(std::int32_t position) const {
  assert(position < judged_);
  return *store_->gates[at(position / kChunkTokens)];
}

std::int32_t SequenceView::evicted_at(std::int32_t head, std::int32_t position) const {
  const std::size_t chunk = at(position / kChunkTokens);
  if (position >= tokens_ || !store_->records_evictions) return kNeverEvicted;
  return store_->evictions[chunk]->at(head, position % kChunkTokens);
}

const OccupancyRecord& SequenceView::occupancy(std::int32_t index) const {
  assert(index < occupancy_);
  return store_->occupancy[at(index)];
}

const OccupancyRecord* SequenceView::occupancy_at(std::int32_t position) const {
  const std::int32_t next =
      first_where(occupancy_, [&](std::int32_t index) { return occupancy(index).position > position; });
  return next > 0 ? &occupancy(next - 1) : nullptr;
}

const engine::RunStarted& RunSnapshot::run() const {
  static const engine::RunStarted kNone;
  return store_ ? store_->run : kNone;
}

const SequenceView* RunSnapshot::sequence(engine::SequenceId id) const {
  const auto found =
      std::find_if(sequences_.begin(), sequences_.end(), [&](const SequenceView& s) { return s.id() == id; });
  return found != sequences_.end() ? &*found : nullptr;
}

const StepRecord& RunSnapshot::step(std::int32_t index) const {
  assert(index < steps_);
  return store_->steps[at(index)];
}

std::int32_t RunSnapshot::step_index(engine::Step number) const {
  const std::int32_t index = first_where(steps_, [&](std::int32_t i) { return step(i).step >= number; });
  return index < steps_ && step(index).step == number ? index : -1;
}

const engine::ParameterChanged& RunSnapshot::parameter(std::int32_t index) const {
  assert(index < parameters_);
  return store_->parameters[at(index)];
}
const QualityPoint& RunSnapshot::quality(std::int32_t index) const {
  assert(index < quality_);
  return store_->quality[at(index)];
}
const std::string& RunSnapshot::measure(std::int32_t index) const {
  assert(index < measures_);
  return store_->measures[at(index)];
}
const std::string& RunSnapshot::notice(std::int32_t index) const {
  assert(index < notices_);
  return store_->notices[at(index)];
}

const std::string* RunSnapshot::kernel_name(std::int32_t kernel) const {
  if (kernel < 0 || kernel >= kernel_count()) return nullptr;
  const auto given = static_cast<std::int32_t>(run().kernels.size());
  return kernel < given ? &run().kernels[at(kernel)] : &store_->kernels[at(kernel - given)];
}

std::int32_t RunSnapshot::kernel_count() const {
  return static_cast<std::int32_t>(run().kernels.size()) + kernels_;
}

const engine::TrackNamed& RunSnapshot::track(std::int32_t index) const {
  assert(index < tracks_);
  return store_->tracks[at(index)];
}

const std::string* RunSnapshot::track_name(std::int16_t device, std::int32_t stream) const {
  for (std::int32_t i = tracks_ - 1; i >= 0; --i) {
    if (track(i).device == device && track(i).stream == stream) return &track(i).name;
  }
  return nullptr;
}

const std::vector<engine::RecordsLost>& RunSnapshot::losses() const {
  static const std::vector<engine::RecordsLost> kNone;
  return losses_ ? *losses_ : kNone;
}

}  // namespace app::view
