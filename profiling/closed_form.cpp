#include "profiling/closed_form.hpp"

#include <algorithm>
#include <bit>

namespace profiling {

void PositionBits::assign(std::int64_t position, std::span<const std::uint8_t> bits, std::int64_t count) {
  if (count <= 0) return;
  size_ = std::max(size_, position + count);
  words_.resize(std::max(words_.size(), static_cast<std::size_t>((size_ + 63) / 64)), 0);
  for (std::int64_t done = 0; done < count; done += 8) {
    // A byte of bits lands in one word or across two.
    const std::uint64_t taken = count - done >= 8 ? 0xff : (std::uint64_t{1} << (count - done)) - 1;
    const std::uint64_t value = bits[static_cast<std::size_t>(done / 8)] & taken;
    const auto word = static_cast<std::size_t>((position + done) / 64);
    const int shift = static_cast<int>((position + done) % 64);
    words_[word] = (words_[word] & ~(taken << shift)) | (value << shift);
    if (shift > 56 && (taken >> (64 - shift)) != 0) {
      words_[word + 1] = (words_[word + 1] & ~(taken >> (64 - shift))) | (value >> (64 - shift));
    }
  }
}

bool PositionBits::test(std::int64_t position) const {
  if (position < 0 || position >= size_) return false;
  return ((words_[static_cast<std::size_t>(position / 64)] >> (position % 64)) & 1) != 0;
}

std::int64_t PositionBits::count_before(std::int64_t position) const {
  const std::int64_t end = std::clamp<std::int64_t>(position, 0, size_);
  std::int64_t count = 0;
  for (std::int64_t word = 0; word < end / 64; ++word)
    count += std::popcount(words_[static_cast<std::size_t>(word)]);
  if (end % 64 == 0) return count;
  const std::uint64_t below = (std::uint64_t{1} << (end % 64)) - 1;
  return count + std::popcount(words_[static_cast<std::size_t>(end / 64)] & below);
}

void live_slots(const PositionBits& marked, std::int32_t window, std::int32_t first,
                std::span<std::int32_t> out) {
  // Position s evicts the marked t = s - window - 1; everything before is already gone.
  std::int64_t evicted = marked.count_before(std::int64_t{first} - window - 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t s = first + static_cast<std::int64_t>(i);
    evicted += marked.test(s - window - 1) ? 1 : 0;
    out[i] = static_cast<std::int32_t>(s + 1 - evicted);
  }
}

}  // namespace profiling
