#include "app/view/preview.hpp"

#include <algorithm>
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
  std::vector<float> logits;
  for_each_run(sequence, heads, end, [&](std::span<const float> run) {
    std::copy_if(run.begin(), run.end(), std::back_inserter(logits), [](float z) { return !std::isnan(z); });
  });
  const double dense = (static_cast<double>(s) + 1) * heads;
  const double highest = dense / (dense - static_cast<double>(logits.size()));
  if (!(target >= 1) || target > highest) {
    return engine::bad_input("target ratio {:.2f}: at position {} a window of {} allows 1.00 to {:.2f}",
                             target, s, window, highest);
  }
  // Marked are the logits above the threshold: as many as the target evicts.
  const auto evicted = static_cast<std::size_t>(std::llround(dense - dense / target));
  if (evicted == 0 || logits.empty()) {
    return logits.empty() ? 0.0 : static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  }
  if (evicted >= logits.size()) {
    const float lowest = *std::min_element(logits.begin(), logits.end());
    return static_cast<double>(std::nextafter(lowest, -std::numeric_limits<float>::infinity()));
  }
  const auto border = logits.begin() + static_cast<std::ptrdiff_t>(logits.size() - evicted - 1);
  std::nth_element(logits.begin(), border, logits.end());
  return static_cast<double>(*border);
}

}  // namespace app::view
