// Decisions of a run of tokens: a fixed block of [heads, 1,024] positions that one writer fills and many
// readers read below the published number of judged positions.
//
// Logits keep float32, so that hovering shows the number the engine reported. Marks are bits as executed;
// their words are atomic because a word is still being filled while its first bits are already read.
#pragma once

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

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

  // Writer's thread only; every cell once. One head's decisions from `offset` on.
  void append(std::int32_t head, std::int32_t offset, std::span<const float> logits,
              std::span<const std::uint8_t> marked) {
    assert(offset >= 0 && offset + static_cast<std::int32_t>(logits.size()) <= kChunkTokens);
    std::copy(logits.begin(), logits.end(), logits_.get() + row(head, kChunkTokens) + offset);
    Word* words = marked_.get() + row(head, kChunkWords);
    for (std::size_t i = 0; i < marked.size();) {
      const auto bit = static_cast<std::size_t>(offset) + i;
      const std::size_t end = std::min(marked.size(), i + 64 - bit % 64);
      std::uint64_t bits = 0;
      for (std::size_t shift = bit % 64; i < end; ++i, ++shift)
        bits |= std::uint64_t{marked[i] != 0} << shift;
      add_bits(words[bit / 64], bits);
    }
  }
  // The first `count` positions of another chunk, into an empty one.
  void copy(const GateChunk& from, std::int32_t heads, std::int32_t count) {
    for (std::int32_t head = 0; head < heads; ++head) {
      std::copy_n(from.logits(head), count, logits_.get() + row(head, kChunkTokens));
      for (std::int32_t word = 0; word * 64 < count; ++word) {
        const std::int32_t left = count - word * 64;
        const std::uint64_t taken = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
        add_bits(marked_[row(head, kChunkWords) + static_cast<std::size_t>(word)],
                 from.marked_word(head, word) & taken);
      }
    }
  }

 private:
  using Word = std::atomic<std::uint64_t>;
  static void add_bits(Word& word, std::uint64_t bits) {
    word.store(word.load(std::memory_order_relaxed) | bits, std::memory_order_relaxed);
  }
  static std::size_t row(std::int32_t head, std::int32_t width) {
    return static_cast<std::size_t>(head) * static_cast<std::size_t>(width);
  }
  std::unique_ptr<float[]> logits_;  // [heads, kChunkTokens]
  std::unique_ptr<Word[]> marked_;   // [heads, kChunkWords]
};

}  // namespace app::view
