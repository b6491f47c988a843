#include "app/view/layer_reads.hpp"

#include <algorithm>

namespace app::view {

std::vector<std::int64_t> layer_reads(const CacheView& view, TokenRange positions) {
  const std::int32_t kv_heads = std::max(1, view.run().kv_heads());
  std::vector<std::int64_t> reads(static_cast<std::size_t>(std::max(0, view.run().layers())));
  const std::int32_t end = std::min(positions.end, view.positions());
  for (std::int32_t head = 0; head < view.heads(); ++head) {
    for (std::int32_t s = std::max(0, positions.begin); s < end; ++s) {
      reads[static_cast<std::size_t>(head / kv_heads)] += view.live(head, s);
    }
  }
  return reads;
}

std::int64_t dense_layer_reads(const CacheView& view, TokenRange positions) {
  const std::int64_t begin = std::max(0, positions.begin);
  const std::int64_t end = std::min(positions.end, view.positions());
  if (begin >= end) return 0;
  return (begin + 1 + end) * (end - begin) / 2 * view.run().kv_heads();  // the sum of s + 1
}

TokenRange positions_of(const SequenceView& sequence, engine::Step step) {
  return {sequence.processed_by(step - 1), sequence.processed_by(step)};
}

}  // namespace app::view
