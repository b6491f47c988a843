#include "engine/backend/cuda_output.hpp"

#include <algorithm>

#include "kernels/cuda/cache_view.hpp"

namespace engine {

namespace {

constexpr std::int32_t kPageSlots = kernels::cuda::kPageSlots;

std::int32_t slots_held(std::int32_t live) {
  return (live + kPageSlots - 1) / kPageSlots * kPageSlots;
}

// A decode step has one of each for some thousand heads: a call of memcpy costs more than the value.
template <typename T>
void copy_some(const T* from, std::size_t count, T* to) {
  if (count == 1) {
    *to = *from;
  } else {
    std::copy_n(from, count, to);
  }
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
  const auto heads = static_cast<std::size_t>(config_.layers) * static_cast<std::size_t>(config_.kv_heads);
  const auto count = static_cast<std::size_t>(share.count);
  const auto judged = static_cast<std::size_t>(out.judged);
  const std::size_t skipped = count - judged;  // columns that judge nothing: before position 0
  out.logits.resize(heads * judged);
  out.marked.resize(heads * judged);
  if (live_at) out.live_at.resize(heads * count);
  out.live.resize(heads);
  out.allocated.resize(heads);
  for (std::size_t head = 0; head < heads; ++head) {
    const std::size_t column = head * static_cast<std::size_t>(stride_) + static_cast<std::size_t>(share.row);
    const std::int32_t* live = decisions_.live_at.data() + column;
    copy_some(decisions_.logits.data() + column + skipped, judged, out.logits.data() + head * judged);
    copy_some(decisions_.marked.data() + column + skipped, judged, out.marked.data() + head * judged);
    if (live_at) copy_some(live, count, out.live_at.data() + head * count);
    std::int64_t& layer = reads[head / static_cast<std::size_t>(config_.kv_heads)];
    for (std::size_t i = 0; i < count; ++i) layer += live[i];
    out.live[head] = live[count - 1];
    out.allocated[head] = slots_held(live[count - 1]);
  }
  return out;
}

}  // namespace engine
