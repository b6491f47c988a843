#include "app/view/preview.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace app::view {

namespace {

// Visits the logits of positions [0, end) of all heads, run by run.
template <typename Visit>
void for_each_run(const SequenceView& sequence, std::int32_t heads, std::int32_t end, const Visit& visit) {
  for (std::int32_t first = 0; first < end; first += kChunkTokens) {
    const auto count = static_cast<std::size_t>(std::min(kChunkTokens, end - first));
    const GateChunk& chunk = sequence.gates(first);
    for (std::int32_t head = 0; head < heads; ++head) visit(std::span(chunk.logits(head), count));
  }
}

// Order statistics of the logits of positions [0, end), NaN left out. Millions of them are counted by the
// upper half of their bits; only those that share it with the one asked for are then compared.
class LogitRanks {
 public:
  LogitRanks(const SequenceView& sequence, std::int32_t heads, std::int32_t end)
      : sequence_(sequence), heads_(heads), end_(end), counts_(std::size_t{1} << 16, 0) {
    for_each_run(sequence, heads, end, [&](std::span<const float> logits) {
      for (const float logit : logits) counts_[key_of(logit) >> 16] += std::isnan(logit) ? 0 : 1;
    });
    for (const std::int64_t count : counts_) total_ += count;
  }

  std::int64_t total() const { return total_; }

  // The logit with `rank` smaller or equal ones before it; 0 <= rank < total().
  float at(std::int64_t rank) const {
    std::uint32_t upper = 0;
    while (rank >= counts_[upper]) rank -= counts_[upper++];
    std::vector<float> near;
    for_each_run(sequence_, heads_, end_, [&](std::span<const float> logits) {
      for (const float logit : logits) {
        if (key_of(logit) >> 16 == upper && !std::isnan(logit)) near.push_back(logit);
      }
    });
    const auto place = near.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(near.begin(), place, near.end());
    return *place;
  }

 private:
  // Bits whose unsigned order is the order of the floats.
  static std::uint32_t key_of(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  }

  const SequenceView& sequence_;
  std::int32_t heads_;
  std::int32_t end_;
  std::vector<std::int64_t> counts_;
  std::int64_t total_ = 0;
};

struct LogitRange {
  float low = 0;
  float high = 1;
};

// Every `stride`-th logit is enough to place the axis.
LogitRange usual_range(const SequenceView& sequence, std::int32_t heads) {
  std::vector<float> sample;
  const std::int64_t cells = std::int64_t{sequence.judged()} * heads;
  const auto stride = static_cast<std::size_t>(std::max<std::int64_t>(1, cells / 65536));
  std::size_t phase = 0;
  for_each_run(sequence, heads, sequence.judged(), [&](std::span<const float> logits) {
    std::size_t i = phase;
    for (; i < logits.size(); i += stride) {
      if (std::isfinite(logits[i])) sample.push_back(logits[i]);
    }
    phase = i - logits.size();
  });
  if (sample.empty()) return {};
  std::sort(sample.begin(), sample.end());
  const std::size_t outer = sample.size() / 1000;
  LogitRange range{sample[outer], sample[sample.size() - 1 - outer]};
  if (!(range.low < range.high)) range = {range.low - 0.5f, range.high + 0.5f};
  return range;
}

}  // namespace

Retention retention_at(const CacheView& view, std::int32_t s) {
  Retention retention;
  std::int64_t live = 0;
  for (std::int32_t head = 0; head < view.heads(); ++head) {
    const std::int32_t of_head = view.live(head, s);
    live += of_head;
    retention.kept.push_back(of_head / (static_cast<double>(s) + 1));
  }
  const double dense = (static_cast<double>(s) + 1) * view.heads();
  if (live > 0) retention.ratio = dense / static_cast<double>(live);
  return retention;
}

std::vector<RatioPoint> ratio_over_positions(const CacheView& view, std::int32_t points) {
  std::vector<RatioPoint> curve;
  const std::int32_t count = std::min(points, view.positions());
  for (std::int32_t i = 0; i < count; ++i) {
    const auto position = static_cast<std::int32_t>((std::int64_t{i} + 1) * view.positions() / count - 1);
    std::int64_t live = 0;
    view.live_totals(position, {&live, 1});
    const double dense = (static_cast<double>(position) + 1) * view.heads();
    curve.push_back({position, live > 0 ? dense / static_cast<double>(live) : 1});
  }
  return curve;
}

LogitHistogram logit_histogram(const SequenceView& sequence, std::int32_t heads, std::int32_t bins) {
  const LogitRange range = usual_range(sequence, heads);
  LogitHistogram histogram{range.low, range.high, {}, 0, 0};
  histogram.counts.resize(static_cast<std::size_t>(std::max(1, bins)));
  const auto last = static_cast<float>(histogram.counts.size() - 1);
  const float scale = static_cast<float>(histogram.counts.size()) / (range.high - range.low);
  for_each_run(sequence, heads, sequence.judged(), [&](std::span<const float> logits) {
    for (const float logit : logits) {
      if (std::isnan(logit)) {
        ++histogram.without_logit;
        continue;
      }
      ++histogram.counts[static_cast<std::size_t>(std::clamp((logit - range.low) * scale, 0.0f, last))];
      ++histogram.total;
    }
  });
  return histogram;
}

engine::Result<double> threshold_for_ratio(const SequenceView& sequence, std::int32_t heads,
                                           std::int32_t window, std::int32_t s, double target) {
  const std::int32_t end = std::clamp(s - std::max(0, window), 0, sequence.judged());
  const LogitRanks ranks(sequence, heads, end);
  const double dense = (static_cast<double>(s) + 1) * heads;
  const double highest = dense / (dense - static_cast<double>(ranks.total()));
  if (!(target >= 1) || target > highest) {
    return engine::bad_input("target ratio {:.2f}: at position {} a window of {} allows 1.00 to {:.2f}",
                             target, s, window, highest);
  }
  if (ranks.total() == 0) return 0.0;
  // Marked are the logits above the threshold: as many as the target evicts.
  const auto evicted = std::min<std::int64_t>(ranks.total(), std::llround(dense - dense / target));
  if (evicted < ranks.total()) return static_cast<double>(ranks.at(ranks.total() - evicted - 1));
  return static_cast<double>(std::nextafter(ranks.at(0), -std::numeric_limits<float>::infinity()));
}

}  // namespace app::view
