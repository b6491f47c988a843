// Which token lies in which slot of a head's cache: slot order is not token order, because a token that falls
// out of the window marked gives its slot to the token that pushed it out.
//
// Replays the cache's rule (engine/cache/head_cache.hpp) on the marks that hold at s. Policies without a
// closed form choose slots by their own rules, which are not recorded.
#pragma once

#include <cstdint>
#include <vector>

#include "app/view/cache_view.hpp"

namespace app::view {

// Token position in each slot of a head after position s; empty where the policy has no closed form. Linear
// in s: keep it until s or the run changes.
std::vector<std::int32_t> slot_order(const CacheView& view, std::int32_t head, std::int32_t s);

// Slots whose token is older than that of the slot before: how far reuse in place has scrambled the order.
std::int32_t slots_out_of_order(const std::vector<std::int32_t>& slots);

}  // namespace app::view
