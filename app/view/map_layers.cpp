#include "app/view/map_layers.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace app::view {

namespace {

// Tokens below it have left the window at s, and their marks are known: marked means evicted.
std::int32_t left_end(const CacheView::Marks& marks, std::int32_t s) {
  return std::min(std::clamp(s - marks.window, 0, s + 1), marks.index->judged());
}

// Tokens from left_end() below it are decided at s: marked means doomed.
std::int32_t decided_end(const CacheView::Marks& marks, std::int32_t s) {
  return std::max(left_end(marks, s), std::clamp(s - marks.lag + 1, 0, marks.index->judged()));
}

// Of one run and one preview, below any token: what they evicted by s.
struct EvictedBelow {
  const CacheView::Marks& run;
  const CacheView::Marks& preview;
  std::int32_t run_left;
  std::int32_t preview_left;

  EvictedBelow(const CacheView::Marks& run_marks, const CacheView::Marks& preview_marks, std::int32_t s)
      : run(run_marks),
        preview(preview_marks),
        run_left(left_end(run_marks, s)),
        preview_left(left_end(preview_marks, s)) {}

  struct Counts {
    std::int64_t run = 0;
    std::int64_t preview = 0;
  };
  Counts at(std::int32_t first_head, std::int32_t head_count, std::int32_t token) const {
    Counts counts;
    for (std::int32_t head = first_head; head < first_head + head_count; ++head) {
      counts.run += run.index->rank(head, std::min(token, run_left));
      counts.preview += preview.index->rank(head, std::min(token, preview_left));
    }
    return counts;
  }
  // Tokens from here on are in both windows.
  std::int32_t window_begin() const { return std::max(run_left, preview_left); }
};

DifferenceCounts counts_of(const EvictedBelow::Counts& below, const EvictedBelow::Counts& above,
                           TokenRange tokens, std::int64_t heads, std::int32_t window_begin, std::int32_t s) {
  const std::int64_t run = above.run - below.run;
  const std::int64_t preview = above.preview - below.preview;
  const auto overlap = [&](std::int32_t begin, std::int32_t end) {
    return std::int64_t{std::max(0, std::min(tokens.end, end) - std::max(tokens.begin, begin))} * heads;
  };
  DifferenceCounts counts;
  counts.window = overlap(window_begin, s + 1);
  counts.unborn = heads * tokens.size() - overlap(0, s + 1);
  counts.both_evicted = std::min(run, preview);
  counts.dropped = preview - counts.both_evicted;
  counts.regained = run - counts.both_evicted;
  counts.both_keep = overlap(0, std::min(window_begin, s + 1)) - std::max(run, preview);
  return counts;
}

std::uint32_t mean_color(const DifferenceCounts& counts, const DifferenceColors& colors) {
  const std::array<std::int64_t, 6> parts{counts.unborn,  counts.window,   counts.both_keep,
                                          counts.dropped, counts.regained, counts.both_evicted};
  const std::array<std::uint32_t, 6> of{colors.unborn,  colors.window,   colors.both_keep,
                                        colors.dropped, colors.regained, colors.both_evicted};
  std::int64_t total = 0;
  std::array<std::int64_t, 4> sums{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == 0) continue;
    total += parts[i];
    for (std::size_t c = 0; c < 4; ++c) sums[c] += parts[i] * (of[i] >> (8 * c) & 0xff);
  }
  std::uint32_t mixed = 0;
  if (total == 0) return of[0];
  for (std::size_t c = 0; c < 4; ++c) {
    mixed |= static_cast<std::uint32_t>((sums[c] + total / 2) / total) << (8 * c);
  }
  return mixed;
}

}  // namespace

void count_holding(const CacheView::Marks& marks, const TokenAxis& axis, std::int32_t s,
                   std::vector<HoldingPixel>& out) {
  out.assign(static_cast<std::size_t>(std::max(0, axis.width)), {});
  if (axis.tokens.size() <= 0) return;
  const std::int32_t left = left_end(marks, s);
  const std::int32_t decided = decided_end(marks, s);
  const std::int32_t heads = marks.index->heads();
  for (std::int32_t pixel = 0; pixel < axis.width; ++pixel) {
    const TokenRange tokens = axis.at(pixel);
    std::int64_t holding = 0;
    std::int64_t doomed = 0;
    for (std::int32_t t = tokens.begin; t < std::min(tokens.end, s + 1); ++t) {
      const std::int32_t marked = t < decided ? marks.index->marked_heads(t) : 0;
      holding += heads - (t < left ? marked : 0);
      doomed += t < left ? 0 : marked;
    }
    const auto size = static_cast<float>(tokens.size());
    out[static_cast<std::size_t>(pixel)] = {static_cast<float>(holding) / size,
                                            static_cast<float>(doomed) / size};
  }
}

void doomed_runs(const CacheView::Marks& marks, std::int32_t head, TokenRange tokens, std::int32_t s,
                 std::vector<TokenRange>& out) {
  out.clear();
  const std::int32_t end = std::min(tokens.end, decided_end(marks, s));
  for (std::int32_t t = std::max(tokens.begin, left_end(marks, s)); t < end; ++t) {
    if (!marks.index->test(head, t)) continue;
    if (!out.empty() && out.back().end == t) {
      ++out.back().end;
    } else {
      out.push_back({t, t + 1});
    }
  }
}

DifferenceCounts count_difference(const CacheView::Marks& run, const CacheView::Marks& preview,
                                  std::int32_t first_head, std::int32_t head_count, TokenRange tokens,
                                  std::int32_t s) {
  const EvictedBelow evicted(run, preview, s);
  return counts_of(evicted.at(first_head, head_count, tokens.begin),
                   evicted.at(first_head, head_count, tokens.end), tokens, head_count, evicted.window_begin(),
                   s);
}

void draw_difference(const CacheView::Marks& run, const CacheView::Marks& preview,
                     const std::vector<MapRow>& rows, const TokenAxis& axis, std::int32_t s,
                     const DifferenceColors& colors, MapImage& image) {
  image.width = std::max(0, axis.width);
  image.height = static_cast<std::int32_t>(rows.size());
  image.pixels.assign(static_cast<std::size_t>(image.width) * rows.size(), colors.unborn);
  if (axis.tokens.size() <= 0) return;
  const EvictedBelow evicted(run, preview, s);
  std::vector<TokenRange> pixels;
  for (std::int32_t pixel = 0; pixel < image.width; ++pixel) pixels.push_back(axis.at(pixel));
  std::uint32_t* out = image.pixels.data();
  for (const MapRow& row : rows) {
    TokenRange before{-1, -1};
    EvictedBelow::Counts below;
    EvictedBelow::Counts above;
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      const TokenRange tokens = pixels[i];
      if (tokens.begin > s) break;
      if (tokens != before) {
        below = tokens.begin == before.end ? above : evicted.at(row.first_head, row.head_count, tokens.begin);
        above = evicted.at(row.first_head, row.head_count, tokens.end);
        before = tokens;
      }
      out[i] = mean_color(counts_of(below, above, tokens, row.head_count, evicted.window_begin(), s), colors);
    }
    out += image.width;
  }
}

}  // namespace app::view
