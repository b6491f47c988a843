#include "engine/backend/cuda_page_budget.hpp"

#include <cassert>

#include "kernels/cuda/cache_view.hpp"

namespace engine {

namespace {

// By a constant: a step asks this four times for each of some thousand heads.
std::uint32_t pages_of(std::int32_t slots) {
  constexpr std::uint32_t kPage = kernels::cuda::kPageSlots;
  return (static_cast<std::uint32_t>(slots) + kPage - 1) / kPage;
}

}  // namespace

std::int64_t pages_held(std::span<const std::int32_t> live) {
  std::int64_t pages = 0;
  for (const std::int32_t slots : live) pages += pages_of(slots);
  return pages;
}

std::int64_t pages_wanted(std::span<const std::int32_t> live, std::int32_t tokens) {
  std::int64_t pages = 0;
  for (const std::int32_t slots : live) pages += pages_of(slots + tokens) - pages_of(slots);
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
