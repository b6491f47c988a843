#include "profiling/gpu/scope_bytes.hpp"

#include <algorithm>
#include <utility>

namespace profiling {

void ScopeBytes::put(std::uint64_t id, std::int64_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard lock(mutex_);
  slots_[index_of(id)] = {id, bytes};
}

std::int64_t ScopeBytes::claim(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[index_of(id)];
  return slot.id == id ? std::exchange(slot.bytes, 0) : 0;
}

void ScopeBytes::clear() {
  const std::lock_guard lock(mutex_);
  std::fill(slots_.begin(), slots_.end(), Slot{});
}

}  // namespace profiling
