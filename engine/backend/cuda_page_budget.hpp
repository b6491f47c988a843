// Admission of steps to a device's page pool: a step that might need more pages than there are is refused
// before it starts, so that no kernel ever finds the free list empty.
//
// Pages follow from live slots, and live slots grow by one per token at most. After a step the true counts
// are known and the rest of what was reserved is free again. One thread at a time.
#pragma once

#include <cstdint>
#include <span>

namespace engine {

// Pages (of kPageSlots slots) that heads with these live slots hold.
std::int64_t pages_held(std::span<const std::int32_t> live);

// Pages that they may take at most while `tokens` enter each of them.
std::int64_t pages_wanted(std::span<const std::int32_t> live, std::int32_t tokens);

class PageBudget {
 public:
  void grow(std::int64_t pages) { total_ += pages; }

  std::int64_t total() const { return total_; }
  std::int64_t held() const { return held_; }
  std::int64_t free() const { return total_ - held_; }
  std::int64_t missing(std::int64_t wanted) const { return wanted > free() ? wanted - free() : 0; }

  // missing(pages) must be 0.
  void take(std::int64_t pages);
  void release(std::int64_t pages);

 private:
  std::int64_t total_ = 0;
  std::int64_t held_ = 0;
};

}  // namespace engine
