#include "engine/backend/cuda_page_budget.hpp"

#include <cassert>

namespace engine {

namespace {

// In 32 bits: four divisions per head and step are a share of a short step.
std::int64_t pages_of(std::int32_t slots, std::int32_t page_slots) {
  const auto page = static_cast<std::uint32_t>(page_slots);
  return (static_cast<std::uint32_t>(slots) + page - 1) / page;
}

}  // namespace

std::int64_t pages_held(std::span<const std::int32_t> live, std::int32_t page_slots) {
  std::int64_t pages = 0;
  for (const std::int32_t slots : live) pages += pages_of(slots, page_slots);
  return pages;
}

std::int64_t pages_wanted(std::span<const std::int32_t> live, std::int32_t tokens, std::int32_t page_slots) {
  std::int64_t pages = 0;
  for (const std::int32_t slots : live) {
    pages += pages_of(slots + tokens, page_slots) - pages_of(slots, page_slots);
  }
  return pages;
}

void PageBudget::take(std::int64_t pages) {
  assert(missing(pages) == 0);
  held_ += pages;
}

void PageBudget::release(std::int64_t pages) {
  assert(pages <= held_);
  held_ -= pages;
}

}  // namespace engine
