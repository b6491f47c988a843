#include "app/view/span_log.hpp"

#include <algorithm>

namespace app::view {

SpanLog::SpanLog(std::size_t max_spans)
    : max_chunks_(std::max<std::size_t>(1, (max_spans + SpanChunk::kCapacity - 1) / SpanChunk::kCapacity)),
      chunks_(std::make_shared<const SpanChunks>()) {}

void SpanLog::append(const std::vector<engine::Span>& spans) {
  for (const engine::Span& span : spans) {
    if (last_size_ == SpanChunk::kCapacity) next_chunk();
    last_->spans[last_size_++] = span;
  }
  if (last_ == nullptr) return;
  view_ = {chunks_, (chunks_->size() - 1) * SpanChunk::kCapacity + last_size_, dropped_};
}

// Readers hold the list they were given, so that it is replaced, not changed.
void SpanLog::next_chunk() {
  SpanChunks chunks = *chunks_;
  if (chunks.size() == max_chunks_) {
    chunks.erase(chunks.begin());
    dropped_ += static_cast<std::int64_t>(SpanChunk::kCapacity);
  }
  auto chunk = std::make_shared<SpanChunk>();
  last_ = chunk.get();
  last_size_ = 0;
  chunks.push_back(std::move(chunk));
  chunks_ = std::make_shared<const SpanChunks>(std::move(chunks));
}

}  // namespace app::view
