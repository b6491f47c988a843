// Which tokens of one sequence are marked, per head, with counts below any position in constant time: what
// makes scrubbing over 9 million decisions a matter of milliseconds.
//
// Marks come from the decisions as executed, from the stored logits against another threshold, or, for a
// policy without a closed form, from what had been evicted by a position. update() extends what it holds when
// the run has only grown. Any thread, one at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/view/run_snapshot.hpp"

namespace app::view {

struct Marking {
  enum class Source : std::uint8_t { executed, threshold, evicted } source = Source::executed;
  double threshold = 0;       // source threshold: marked iff logit > threshold; NaN is never marked
  std::int32_t position = 0;  // source evicted: evicted by then
  bool operator==(const Marking&) const = default;
};

class MarkIndex {
 public:
  void update(const RunSnapshot& run, const SequenceView& sequence, const Marking& marking);

  std::int32_t heads() const { return heads_; }
  std::int32_t judged() const { return judged_; }  // positions [0, judged) are known; no other is marked

  // 0 <= position <= judged()
  bool test(std::int32_t head, std::int32_t position) const {
    return (row(head)[position / 64] >> (position % 64) & 1) != 0;
  }
  // Marked positions below `position`.
  std::int32_t rank(std::int32_t head, std::int32_t position) const {
    const std::size_t word = row_start(head) + static_cast<std::size_t>(position / 64);
    const std::uint64_t below = (std::uint64_t{1} << (position % 64)) - 1;
    return ranks_[word] + std::popcount(words_[word] & below);
  }
  // Heads that mark the token.
  std::int32_t marked_heads(std::int32_t position) const {
    return marked_heads_[static_cast<std::size_t>(position)];
  }
  // Grows with every change: what pictures made from this index compare.
  std::uint64_t version() const { return version_; }

 private:
  const std::uint64_t* row(std::int32_t head) const { return words_.data() + row_start(head); }
  std::size_t row_start(std::int32_t head) const {
    return static_cast<std::size_t>(head) * static_cast<std::size_t>(stride_);
  }
  void reset(std::int32_t heads);
  void reserve(std::int32_t positions);
  void fill_words(const SequenceView& sequence, std::int32_t first_word, std::int32_t end_word);
  std::uint64_t word_of(const SequenceView& sequence, std::int32_t head, std::int32_t word) const;
  void count_heads(std::int32_t first_word, std::int32_t end_word);

  std::uint64_t run_id_ = 0;
  engine::SequenceId sequence_ = -1;
  Marking marking_;
  std::int32_t heads_ = 0;
  std::int32_t judged_ = 0;
  std::int32_t stride_ = 0;                  // words of a row: one more than any position needs
  std::vector<std::uint64_t> words_;         // [heads, stride]
  std::vector<std::int32_t> ranks_;          // [heads, stride] marked positions before the word
  std::vector<std::uint16_t> marked_heads_;  // [positions]
  std::uint64_t version_ = 0;
};

}  // namespace app::view
