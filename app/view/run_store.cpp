#include "app/view/run_store.hpp"

#include <algorithm>
#include <cstring>

namespace app::view {

namespace {

std::size_t cell_count(std::int32_t heads) {
  return static_cast<std::size_t>(heads) * kChunkTokens;
}

std::size_t cell_index(std::int32_t head, std::int32_t offset) {
  return static_cast<std::size_t>(head) * kChunkTokens + static_cast<std::size_t>(offset);
}

}  // namespace

EvictionChunk::EvictionChunk(std::int32_t heads) : cells_(std::make_unique<Cell[]>(cell_count(heads))) {
  for (std::size_t i = 0; i < cell_count(heads); ++i) {
    cells_[i].store(kNeverEvicted, std::memory_order_relaxed);
  }
}

EvictionChunk::EvictionChunk(const EvictionChunk& other, std::int32_t heads)
    : cells_(std::make_unique<Cell[]>(cell_count(heads))) {
  for (std::size_t i = 0; i < cell_count(heads); ++i) {
    cells_[i].store(other.cells_[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
}

std::int32_t EvictionChunk::at(std::int32_t head, std::int32_t offset) const {
  return cells_[cell_index(head, offset)].load(std::memory_order_relaxed);
}

void EvictionChunk::set(std::int32_t head, std::int32_t offset, std::int32_t position) {
  cells_[cell_index(head, offset)].store(position, std::memory_order_relaxed);
}

std::string_view TextArena::keep(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > left_) {
    const std::size_t size = std::max(kBlock, text.size());
    blocks_.emplace_back(new char[size]);
    next_ = blocks_.back().get();
    left_ = size;
    bytes_ += size;
  }
  char* begin = next_;
  std::memcpy(begin, text.data(), text.size());
  next_ += text.size();
  left_ -= text.size();
  return {begin, text.size()};
}

}  // namespace app::view
