#include "engine/backend/cuda_output.hpp"

#include <algorithm>

#include "kernels/cuda/cache_view.hpp"

namespace engine {

namespace {

constexpr std::int32_t kPageSlots = kernels::cuda::kPageSlots;

std::int32_t slots_held(std::int32_t live) {
  return (live + kPageSlots - 1) / kPageSlots * kPageSlots;
}

}  // namespace

DecisionReader::DecisionReader(const ModelConfig& config,
                               const CudaDecisions<kernels::cuda::PinnedArray>& decisions,
                               std::int64_t stride)
    : config_(config), decisions_(decisions), stride_(stride) {}

SequenceOutput DecisionReader::read(const CudaShare& share, SequenceId sequence, int lag, bool live_at,
                                    std::span<std::int64_t> reads) const {
  SequenceOutput out;
  out.sequence = sequence;
  out.first_position = share.first_position;
  out.count = share.count;
  out.first_judged = std::max(0, share.first_position - lag);
  out.judged = share.first_position + share.count - lag - out.first_judged;
  const std::size_t heads =
      static_cast<std::size_t>(config_.layers) * static_cast<std::size_t>(config_.kv_heads);
  out.logits.reserve(heads * static_cast<std::size_t>(out.judged));
  out.marked.reserve(out.logits.capacity());
  if (live_at) out.live_at.reserve(heads * static_cast<std::size_t>(share.count));
  out.live.reserve(heads);
  out.allocated.reserve(heads);
  const std::int32_t skipped = share.count - out.judged;  // columns that judge nothing: before position 0
  for (std::int32_t layer = 0; layer < config_.layers; ++layer) {
    for (std::int32_t head = 0; head < config_.kv_heads; ++head) {
      const std::int64_t column = (std::int64_t{layer} * config_.kv_heads + head) * stride_ + share.row;
      const float* logits = decisions_.logits.data() + column;
      const std::uint8_t* marked = decisions_.marked.data() + column;
      const std::int32_t* live = decisions_.live_at.data() + column;
      out.logits.insert(out.logits.end(), logits + skipped, logits + share.count);
      out.marked.insert(out.marked.end(), marked + skipped, marked + share.count);
      if (live_at) out.live_at.insert(out.live_at.end(), live, live + share.count);
      for (std::int32_t i = 0; i < share.count; ++i) reads[static_cast<std::size_t>(layer)] += live[i];
      out.live.push_back(live[share.count - 1]);
      out.allocated.push_back(slots_held(out.live.back()));
    }
  }
  return out;
}

}  // namespace engine
