#include "engine/cache/page_arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace engine {

namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector
// A huge page: decoding streams through caches, and from pages of 4 KiB they read at half the speed.
constexpr std::size_t kSlabBytes = std::size_t{2} << 20;
constexpr std::align_val_t kSlabAlign{kSlabBytes};

std::size_t round_up(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

PageArena::PageArena(std::size_t page_bytes) : page_bytes_(round_up(page_bytes)) {}

PageArena::~PageArena() {
  for (void* slab : slabs_) ::operator delete(slab, kSlabAlign);
}

void* PageArena::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    const std::size_t pages = std::max<std::size_t>(1, kSlabBytes / page_bytes_);
    free_.reserve(free_.size() + pages);
    slabs_.reserve(slabs_.size() + 1);
    auto* slab = static_cast<std::byte*>(::operator new(pages* page_bytes_, kSlabAlign));
    madvise(slab, pages * page_bytes_, MADV_HUGEPAGE);  // a wish: without huge pages it is slower, not wrong
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
