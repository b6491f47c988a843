// The closed form of delayed eviction: alive(t, s) = t <= s and (s - t <= window or t is not marked).
//
// Undecided tokens count as not marked. Decisions must not come later than eviction (lag <= window + 1).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace profiling {

// One bit per token position of one (sequence, layer, KV head): set where the token is marked.
class PositionBits {
 public:
  // Takes over `count` bits (lowest bit of each byte first) for the positions from `position` on; grows to
  // hold them.
  void assign(std::int64_t position, std::span<const std::uint8_t> bits, std::int64_t count);
  bool test(std::int64_t position) const;  // false beyond the end
  std::int64_t count_before(std::int64_t position) const;
  std::int64_t size() const { return size_; }

 private:
  std::vector<std::uint64_t> words_;
  std::int64_t size_ = 0;
};

// Live slots after each of the positions first, first + 1, ...: out[i] for s = first + i.
void live_slots(const PositionBits& marked, std::int32_t window, std::int32_t first,
                std::span<std::int32_t> out);

}  // namespace profiling
