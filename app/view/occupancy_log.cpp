#include "app/view/occupancy_log.hpp"

#include <algorithm>
#include <cassert>

namespace app::view {

OccupancyBlock::OccupancyBlock(std::span<const std::int32_t> live, std::span<const std::int32_t> allocated)
    : live_(make(live)), allocated_(make(allocated)) {
  assert(live.size() == allocated.size());
}

bool OccupancyBlock::append(std::span<const std::int32_t> live, std::span<const std::int32_t> allocated) {
  if (states_ == kStates || !fits(live_, live) || !fits(allocated_, allocated)) return false;
  store(live_, live);
  store(allocated_, allocated);
  ++states_;
  return true;
}

std::size_t OccupancyBlock::bytes() const {
  return sizeof *this + 2 * live_.first.size() * (sizeof(std::int32_t) + kStates - 1);
}

OccupancyBlock::Column OccupancyBlock::make(std::span<const std::int32_t> first) {
  Column column{{first.begin(), first.end()}, nullptr};
  column.delta.reset(new std::int8_t[first.size() * (kStates - 1)]);  // written before it is read
  return column;
}

bool OccupancyBlock::fits(const Column& column, std::span<const std::int32_t> next) {
  for (std::size_t head = 0; head < next.size(); ++head) {
    const std::int64_t delta = std::int64_t{next[head]} - column.first[head];
    if (delta != static_cast<std::int8_t>(delta)) return false;
  }
  return true;
}

void OccupancyBlock::store(Column& column, std::span<const std::int32_t> next) const {
  std::int8_t* row = column.delta.get() + static_cast<std::size_t>(states_ - 1) * next.size();
  for (std::size_t head = 0; head < next.size(); ++head) {
    row[head] = static_cast<std::int8_t>(next[head] - column.first[head]);
  }
}

std::int32_t OccupancyBlock::value(const Column& column, std::int32_t state, std::int32_t head) {
  const auto index = static_cast<std::size_t>(head);
  if (state == 0) return column.first[index];
  return column.first[index] +
         column.delta[static_cast<std::size_t>(state - 1) * column.first.size() + index];
}

}  // namespace app::view
