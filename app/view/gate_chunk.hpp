// Decisions of a run of tokens: a fixed block of [heads, 1,024] positions that one writer fills and many
// readers read below the published number of judged positions.
//
// Logits keep float32, so that hovering shows the number the engine reported. Marks are bits as executed;
// their words are atomic because a word is still being filled while its first bits are already read.
#pragma once

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace app::view {

inline constexpr std::int32_t kChunkTokens = 1024;
inline constexpr std::int32_t kChunkWords = kChunkTokens / 64;

class GateChunk {
 public:
  explicit GateChunk(std::int32_t heads)
      : logits_(new float[static_cast<std::size_t>(heads) * kChunkTokens]),  // written before it is read
        marked_(std::make_unique<Word[]>(static_cast<std::size_t>(heads) * kChunkWords)) {}

  // `head` is layer * kv_heads + kv_head, `offset` the position within the chunk.
  const float* logits(std::int32_t head) const { return logits_.get() + row(head, kChunkTokens); }
  std::uint64_t marked_word(std::int32_t head, std::int32_t word) const {
    return marked_[row(head, kChunkWords) + static_cast<std::size_t>(word)].load(std::memory_order_relaxed);
  }
  bool marked(std::int32_t head, std::int32_t offset) const {
    return (marked_word(head, offset / 64) >> (offset % 64) & 1) != 0;
  }

  // Writer's thread only; every cell once.
  void set(std::int32_t head, std::int32_t offset, float logit, bool is_marked) {
    assert(offset >= 0 && offset < kChunkTokens);
    logits_[row(head, kChunkTokens) + static_cast<std::size_t>(offset)] = logit;
    if (!is_marked) return;
    Word& word = marked_[row(head, kChunkWords) + static_cast<std::size_t>(offset / 64)];
    word.store(word.load(std::memory_order_relaxed) | std::uint64_t{1} << (offset % 64),
               std::memory_order_relaxed);
  }

 private:
  using Word = std::atomic<std::uint64_t>;
  static std::size_t row(std::int32_t head, std::int32_t width) {
    return static_cast<std::size_t>(head) * static_cast<std::size_t>(width);
  }
  std::unique_ptr<float[]> logits_;  // [heads, kChunkTokens]
  std::unique_ptr<Word[]> marked_;   // [heads, kChunkWords]
};

}  // namespace app::view
