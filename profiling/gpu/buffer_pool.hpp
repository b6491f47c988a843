// The buffers that CUPTI fills: lent from a bounded pool, queued when they come back, lent again.
//
// take() and complete() are all that CUPTI's callbacks do, on whatever thread they run: they never block on
// work, and beyond the limit they refuse and count. Buffers are zeroed by the thread that has read them,
// because CUPTI would otherwise zero them on the launching thread. A buffer that CUPTI still holds is never
// freed, not even by the destructor: it may be written to until the process is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

namespace profiling {

// 1,200 kernels or so. One unfinished kernel withholds the whole buffer it is in: small ones keep coming.
inline constexpr std::size_t kBufferBytes = 256 * 1024;
inline constexpr std::size_t kMaxBuffers = 256;  // 64 MiB

struct FreeBuffer {
  void operator()(std::uint8_t* bytes) const { std::free(bytes); }
};
using RecordBuffer = std::unique_ptr<std::uint8_t[], FreeBuffer>;

struct FilledBuffer {
  RecordBuffer bytes;
  std::size_t valid = 0;  // bytes that hold records
};

class BufferPool {
 public:
  explicit BufferPool(std::size_t max_buffers = kMaxBuffers);

  // A zeroed buffer of kBufferBytes, or null: all are in use.
  std::uint8_t* take();
  // CUPTI has filled it. Unknown pointers are refused.
  bool complete(std::uint8_t* buffer, std::size_t valid);

  // The reader: the oldest filled buffer, or an empty one.
  FilledBuffer next();
  void give_back(RecordBuffer buffer);

  std::int64_t refused() const;
  std::size_t lent() const;

 private:
  static constexpr std::size_t kSpare = 8;  // ready before the first is asked for

  static RecordBuffer allocate();

  mutable std::mutex mutex_;
  const std::size_t max_buffers_;
  std::size_t buffers_ = 0;  // free, lent and filled, and those being read
  std::vector<RecordBuffer> free_;
  std::vector<std::uint8_t*> lent_;
  std::vector<FilledBuffer> filled_;
  std::int64_t refused_ = 0;
};

}  // namespace profiling
