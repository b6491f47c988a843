#include "engine/cache/page_arena.hpp"

#include <algorithm>
#include <new>

namespace engine {

namespace {

constexpr std::size_t kAlignment = 64;          // a cache line, and the widest vector
constexpr std::size_t kSlabBytes = 512 * 1024;  // small enough that a short run stays small
constexpr std::align_val_t kAlign{kAlignment};

std::size_t round_up(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

PageArena::PageArena(std::size_t page_bytes) : page_bytes_(round_up(page_bytes)) {}

PageArena::~PageArena() {
  for (void* slab : slabs_) ::operator delete(slab, kAlign);
}

void* PageArena::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    const std::size_t pages = std::max<std::size_t>(1, kSlabBytes / page_bytes_);
    free_.reserve(free_.size() + pages);
    slabs_.reserve(slabs_.size() + 1);
    auto* slab = static_cast<std::byte*>(::operator new(pages* page_bytes_, kAlign));
    slabs_.push_back(slab);
    for (std::size_t i = pages; i-- > 0;) free_.push_back(slab + i * page_bytes_);
  }
  void* page = free_.back();
  free_.pop_back();
  return page;
}

void PageArena::release(void* page) {
  const std::lock_guard lock(mutex_);
  free_.push_back(page);
}

}  // namespace engine
