// How many KV slots attention read in each layer while a run of positions was processed: the cost that the
// cache has in a kernel's time.
#pragma once

#include <cstdint>
#include <vector>

#include "app/view/cache_view.hpp"
#include "app/view/token_axis.hpp"

namespace app::view {

// [layers], summed over the layer's KV heads and the positions. A query reads what it sees, itself included.
std::vector<std::int64_t> layer_reads(const CacheView& view, TokenRange positions);
// The same for a dense cache: one layer's.
std::int64_t dense_layer_reads(const CacheView& view, TokenRange positions);

// The positions of one sequence that a step processed.
TokenRange positions_of(const SequenceView& sequence, engine::Step step);

}  // namespace app::view
