// The newest spans of a run in bounded memory: chunks are filled by one writer, and the oldest is let go when
// there are too many. A reader that still holds a chunk keeps it alive.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "engine/events/events.hpp"

namespace app::view {

struct SpanChunk {
  static constexpr std::size_t kCapacity = 8192;
  std::array<engine::Span, kCapacity> spans;
};

using SpanChunks = std::vector<std::shared_ptr<const SpanChunk>>;

// What a reader sees: every chunk but the last is full.
class SpanView {
 public:
  SpanView() = default;
  SpanView(std::shared_ptr<const SpanChunks> chunks, std::size_t size, std::int64_t dropped)
      : chunks_(std::move(chunks)), size_(size), dropped_(dropped) {}

  std::size_t size() const { return size_; }
  // Spans that came before the first one held here. Index i of another view of the same run is index
  // i - (dropped() - other.dropped()) of this one.
  std::int64_t dropped() const { return dropped_; }
  const engine::Span& operator[](std::size_t index) const {
    return (*chunks_)[index / SpanChunk::kCapacity]->spans[index % SpanChunk::kCapacity];
  }

 private:
  std::shared_ptr<const SpanChunks> chunks_;
  std::size_t size_ = 0;
  std::int64_t dropped_ = 0;
};

class SpanLog {
 public:
  // At least one chunk; rounded up to whole chunks.
  explicit SpanLog(std::size_t max_spans);

  // Writer's thread. view() is what to publish afterwards.
  void append(const std::vector<engine::Span>& spans);
  const SpanView& view() const { return view_; }

 private:
  void next_chunk();

  std::size_t max_chunks_;
  std::shared_ptr<const SpanChunks> chunks_;
  SpanChunk* last_ = nullptr;
  std::size_t last_size_ = SpanChunk::kCapacity;
  std::int64_t dropped_ = 0;
  SpanView view_;
};

}  // namespace app::view
