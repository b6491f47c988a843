// Fixed-size pages for KV caches, from slabs, with a free list. Shared by all heads of a backend.
//
// Thread-safe. Memory goes back to the free list when a page is released and to the system with the arena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace engine {

class PageArena {
 public:
  explicit PageArena(std::size_t page_bytes);
  ~PageArena();
  PageArena(const PageArena&) = delete;
  PageArena& operator=(const PageArena&) = delete;

  void* take();  // 64-byte aligned, content undefined; throws std::bad_alloc
  void release(void* page);
  std::size_t page_bytes() const { return page_bytes_; }

 private:
  std::size_t page_bytes_;
  std::mutex mutex_;
  std::vector<void*> slabs_;
  std::vector<void*> free_;
};

}  // namespace engine
