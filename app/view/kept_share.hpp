// Which share of the judged tokens each head keeps: what eviction does to a head, the window left aside.
#pragma once

#include <cstdint>
#include <vector>

#include "app/view/cache_view.hpp"

namespace app::view {

// [heads], of the tokens decided at s that are not marked (or, without a closed form, not evicted by s); 1
// where nothing is decided.
std::vector<double> kept_shares(CacheView& view, std::int32_t s);

// [layers], the mean over each layer's KV heads.
std::vector<double> by_layer(const std::vector<double>& heads, std::int32_t kv_heads);

}  // namespace app::view
