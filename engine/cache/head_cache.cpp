#include "engine/cache/head_cache.hpp"

#include <cassert>
#include <cstring>
#include <limits>
#include <utility>

#include "kernels/cpu/ops.hpp"

namespace engine {

namespace {

constexpr std::int32_t kPageSlots = kernels::kPageSlots;

std::size_t page_of(std::int32_t slot) {
  return static_cast<std::size_t>(slot / kPageSlots);
}
std::size_t row_of(std::int32_t slot) {
  return static_cast<std::size_t>(slot % kPageSlots);
}

}  // namespace

std::size_t SlotLayout::page_bytes() const {
  return 2 * static_cast<std::size_t>(kPageSlots) * row_bytes();
}

HeadCache::HeadCache(const SlotLayout& layout, PageArena& arena, std::int32_t window,
                     std::int32_t max_positions)
    : layout_(layout), arena_(&arena), window_(window) {
  if (window < max_positions) recent_.resize(static_cast<std::size_t>(window) + 1);
}

HeadCache::HeadCache(HeadCache&& other) noexcept
    : layout_(other.layout_),
      arena_(other.arena_),
      window_(other.window_),
      pages_(std::exchange(other.pages_, {})),
      positions_(std::exchange(other.positions_, {})),
      recent_(std::exchange(other.recent_, {})) {}

HeadCache::~HeadCache() {
  for (void* page : pages_) arena_->release(page);
}

HeadCache HeadCache::clone() const {
  HeadCache copy(layout_, *arena_, window_, 0);  // no ring of its own: it is copied
  copy.recent_ = recent_;
  copy.positions_ = positions_;
  copy.pages_.reserve(pages_.size());
  for (const void* page : pages_) {
    copy.pages_.push_back(arena_->take());
    std::memcpy(copy.pages_.back(), page, layout_.page_bytes());
  }
  return copy;
}

std::int32_t HeadCache::allocated() const {
  return static_cast<std::int32_t>(pages_.size()) * kPageSlots;
}

std::int32_t HeadCache::last_query(std::int32_t slot) const {
  constexpr std::int32_t kNever = std::numeric_limits<std::int32_t>::max();
  if (!evicts()) return kNever;
  const std::int32_t position = positions_[static_cast<std::size_t>(slot)];
  const Recent& entry = recent_[static_cast<std::size_t>(position) % recent_.size()];
  const bool in_window = entry.slot == slot;  // an older token's entry has been taken over by a younger one
  return in_window && entry.marked ? position + window_ : kNever;
}

void HeadCache::mark(std::int32_t position) {
  if (evicts()) recent(position).marked = true;
}

std::int32_t HeadCache::admit(std::int32_t position) {
  if (!evicts()) return append(position);
  // The ring entry of this position is that of the token leaving the window: position - window - 1.
  Recent& entry = recent(position);
  if (entry.slot >= 0 && entry.marked) {
    replace(entry.slot, position);
  } else {
    entry.slot = append(position);
  }
  entry.marked = false;
  return entry.slot;
}

std::int32_t HeadCache::append(std::int32_t position) {
  const std::int32_t slot = live();
  if (page_of(slot) == pages_.size()) {
    pages_.reserve(pages_.size() + 1);
    pages_.push_back(arena_->take());
  }
  positions_.push_back(position);
  return slot;
}

void HeadCache::replace(std::int32_t slot, std::int32_t position) {
  assert(slot >= 0 && slot < live());
  positions_[static_cast<std::size_t>(slot)] = position;
}

const void* HeadCache::key(std::int32_t slot) const {
  return static_cast<const std::byte*>(pages_[page_of(slot)]) + row_of(slot) * layout_.row_bytes();
}

const void* HeadCache::value(std::int32_t slot) const {
  const std::size_t row = static_cast<std::size_t>(kPageSlots) + row_of(slot);
  return static_cast<const std::byte*>(pages_[page_of(slot)]) + row * layout_.row_bytes();
}

void* HeadCache::key(std::int32_t slot) {
  return const_cast<void*>(std::as_const(*this).key(slot));
}
void* HeadCache::value(std::int32_t slot) {
  return const_cast<void*>(std::as_const(*this).value(slot));
}

}  // namespace engine
