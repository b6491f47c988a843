#include "profiling/gpu/buffer_pool.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace profiling {

BufferPool::BufferPool(std::size_t max_buffers) : max_buffers_(max_buffers) {
  lent_.reserve(max_buffers);
  filled_.reserve(max_buffers);
  for (std::size_t i = 0; i < std::min(kSpare, max_buffers_); ++i) {
    RecordBuffer buffer = allocate();
    if (!buffer) break;
    free_.push_back(std::move(buffer));
    ++buffers_;
  }
}

RecordBuffer BufferPool::allocate() {
  return RecordBuffer(static_cast<std::uint8_t*>(std::calloc(kBufferBytes, 1)));
}

std::uint8_t* BufferPool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty() && buffers_ < max_buffers_) {
    if (RecordBuffer buffer = allocate()) {
      free_.push_back(std::move(buffer));
      ++buffers_;
    }
  }
  if (free_.empty()) {
    ++refused_;
    return nullptr;
  }
  std::uint8_t* const bytes = free_.back().release();
  free_.pop_back();
  lent_.push_back(bytes);
  return bytes;
}

bool BufferPool::complete(std::uint8_t* buffer, std::size_t valid) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find(lent_.begin(), lent_.end(), buffer);
  if (found == lent_.end()) return false;
  lent_.erase(found);
  filled_.push_back({RecordBuffer(buffer), std::min(valid, kBufferBytes)});
  return true;
}

FilledBuffer BufferPool::next() {
  const std::lock_guard lock(mutex_);
  if (filled_.empty()) return {};
  FilledBuffer oldest = std::move(filled_.front());
  filled_.erase(filled_.begin());
  return oldest;
}

void BufferPool::give_back(RecordBuffer buffer) {
  std::memset(buffer.get(), 0, kBufferBytes);
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(buffer));
}

std::int64_t BufferPool::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

std::size_t BufferPool::lent() const {
  const std::lock_guard lock(mutex_);
  return lent_.size();
}

}  // namespace profiling
