#include "app/view/mark_index.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace app::view {

namespace {

// 64 decisions as bits: z[i] > threshold, false for NaN.
std::uint64_t bits_above(const float* z, float threshold) {
  std::uint64_t bits = 0;
#if defined(__SSE2__)
  const __m128 limit = _mm_set1_ps(threshold);
  for (int i = 0; i < 64; i += 16) {
    const __m128i low = _mm_packs_epi32(_mm_castps_si128(_mm_cmpgt_ps(_mm_loadu_ps(z + i), limit)),
                                        _mm_castps_si128(_mm_cmpgt_ps(_mm_loadu_ps(z + i + 4), limit)));
    const __m128i high = _mm_packs_epi32(_mm_castps_si128(_mm_cmpgt_ps(_mm_loadu_ps(z + i + 8), limit)),
                                         _mm_castps_si128(_mm_cmpgt_ps(_mm_loadu_ps(z + i + 12), limit)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
    bits |= std::uint64_t{mask} << i;
  }
#else
  for (int i = 0; i < 64; ++i) bits |= std::uint64_t{z[i] > threshold} << i;
#endif
  return bits;
}

// The policy compares the float logit with a double threshold: z > threshold for doubles is z > the largest
// float that is not above it.
float float_not_above(double threshold) {
  const auto rounded = static_cast<float>(threshold);
  return static_cast<double>(rounded) > threshold
             ? std::nextafter(rounded, -std::numeric_limits<float>::infinity())
             : rounded;
}

std::uint64_t low_bits(std::int32_t count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

}  // namespace

void MarkIndex::update(const RunSnapshot& run, const SequenceView& sequence, const Marking& marking) {
  const bool evicted = marking.source == Marking::Source::evicted;
  const std::int32_t known =
      evicted ? std::clamp(marking.position + 1, 0, sequence.processed()) : sequence.judged();
  const bool same = run.run_id() == run_id_ && sequence.id() == sequence_ && marking == marking_;
  // What had been evicted by the newest position is final only once that position is the past.
  if (!same || (evicted && known != judged_)) reset(run.heads());
  run_id_ = run.run_id();
  sequence_ = sequence.id();
  marking_ = marking;
  if (heads_ == 0) return;
  reserve(known);
  if (known <= judged_) return;
  const std::int32_t first_word = judged_ / 64;  // the last word may have been partial
  judged_ = known;
  const std::int32_t end_word = (known + 63) / 64;
  fill_words(sequence, first_word, end_word);
  count_heads(first_word, end_word);
  ++version_;
}

void MarkIndex::reset(std::int32_t heads) {
  heads_ = heads;
  judged_ = 0;
  if (words_.size() < static_cast<std::size_t>(heads) * static_cast<std::size_t>(stride_)) stride_ = 0;
  if (stride_ > 0) {
    for (std::int32_t head = 0; head < heads; ++head) {
      words_[row_start(head)] = 0;
      ranks_[row_start(head)] = 0;
    }
  }
  ++version_;
}

// Rows grow by half, so that a run of any length moves its marks a few times only. The word after the last
// one exists, and is empty, so that rank(judged()) needs no special case.
void MarkIndex::reserve(std::int32_t positions) {
  const std::int32_t needed = positions / 64 + 2;
  marked_heads_.resize(static_cast<std::size_t>((positions + 63) / 64) * 64);
  if (needed <= stride_) return;
  const std::int32_t wider = std::max(needed, stride_ + stride_ / 2);
  const auto cells = static_cast<std::size_t>(heads_) * static_cast<std::size_t>(wider);
  std::vector<std::uint64_t> words(cells, 0);
  std::vector<std::int32_t> ranks(cells, 0);
  const std::int32_t used = std::min(stride_, judged_ / 64 + 1);
  for (std::int32_t head = 0; head < heads_; ++head) {
    const auto to = static_cast<std::ptrdiff_t>(head) * wider;
    const auto from = static_cast<std::ptrdiff_t>(row_start(head));
    std::copy_n(words_.begin() + from, used, words.begin() + to);
    std::copy_n(ranks_.begin() + from, used, ranks.begin() + to);
  }
  words_ = std::move(words);
  ranks_ = std::move(ranks);
  stride_ = wider;
}

// One word of decisions of one head, without those that are not known.
std::uint64_t MarkIndex::word_of(const SequenceView& sequence, std::int32_t head, std::int32_t word) const {
  const std::int32_t position = word * 64;
  const std::int32_t count = std::min(64, judged_ - position);
  std::uint64_t bits = 0;
  if (marking_.source == Marking::Source::evicted) {
    for (std::int32_t i = 0; i < count; ++i) {
      bits |= std::uint64_t{sequence.evicted_at(head, position + i) <= marking_.position} << i;
    }
    return bits;
  }
  const GateChunk& chunk = sequence.gates(position);
  if (marking_.source == Marking::Source::executed) {
    return chunk.marked_word(head, position % kChunkTokens / 64) & low_bits(count);
  }
  const float* logits = chunk.logits(head) + position % kChunkTokens;
  const float limit = float_not_above(marking_.threshold);
  if (count == 64) return bits_above(logits, limit);
  for (std::int32_t i = 0; i < count; ++i) bits |= std::uint64_t{logits[i] > limit} << i;
  return bits;
}

void MarkIndex::fill_words(const SequenceView& sequence, std::int32_t first_word, std::int32_t end_word) {
  for (std::int32_t head = 0; head < heads_; ++head) {
    std::uint64_t* words = words_.data() + row_start(head);
    std::int32_t* ranks = ranks_.data() + row_start(head);
    std::int32_t rank = ranks[first_word];
    for (std::int32_t word = first_word; word < end_word; ++word) {
      words[word] = word_of(sequence, head, word);
      ranks[word] = rank;
      rank += std::popcount(words[word]);
    }
    words[end_word] = 0;
    ranks[end_word] = rank;
  }
}

// Counts heads for 64 tokens at once: adding one bit per token to counters kept as bit planes is a ripple of
// and/xor over whole words, which stops as soon as nothing carries. A cache line of each head is read at a
// time.
void MarkIndex::count_heads(std::int32_t first_word, std::int32_t end_word) {
  constexpr std::int32_t kLine = 8;        // words
  constexpr std::size_t kMostPlanes = 15;  // up to 32,767 heads
  const auto planes_used = static_cast<std::size_t>(std::bit_width(static_cast<unsigned>(heads_)));
  for (std::int32_t begin = first_word; begin < end_word; begin += kLine) {
    const std::int32_t end = std::min(begin + kLine, end_word);
    std::uint64_t planes[kLine][kMostPlanes] = {};
    for (std::int32_t head = 0; head < heads_; ++head) {
      for (std::int32_t word = begin; word < end; ++word) {
        std::uint64_t carry = row(head)[word];
        std::uint64_t* counter = planes[word - begin];
        for (std::size_t plane = 0; carry != 0 && plane < kMostPlanes; ++plane) {
          const std::uint64_t sum = counter[plane] ^ carry;
          carry &= counter[plane];
          counter[plane] = sum;
        }
      }
    }
    for (std::int32_t word = begin; word < end; ++word) {
      std::uint16_t* counts = marked_heads_.data() + static_cast<std::ptrdiff_t>(word) * 64;
      for (int i = 0; i < 64; ++i) {
        unsigned heads = 0;
        for (std::size_t plane = 0; plane < planes_used; ++plane) {
          heads |= static_cast<unsigned>(planes[word - begin][plane] >> i & 1) << plane;
        }
        counts[i] = static_cast<std::uint16_t>(heads);
      }
    }
  }
}

}  // namespace app::view
