#include "app/view/map_image.hpp"

#include <algorithm>
#include <array>

namespace app::view {

namespace {

// Positions that divide the states of one head's tokens at s.
struct Borders {
  std::int32_t left;     // [0, left): out of the window, kept or evicted
  std::int32_t decided;  // [left, decided): in the window and marked or not
  std::int32_t born;     // [decided, born): in the window, not known to be marked
};

Borders borders_at(const CacheView::Marks& marks, std::int32_t s) {
  const std::int32_t judged = marks.index->judged();
  const std::int32_t born = s + 1;
  const std::int32_t left = std::clamp(s - marks.window, 0, born);
  return {left, std::max(left, std::clamp(s - marks.lag + 1, 0, judged)), born};
}

std::int32_t overlap(TokenRange tokens, std::int32_t begin, std::int32_t end) {
  return std::max(0, std::min(tokens.end, end) - std::max(tokens.begin, begin));
}

std::uint8_t channel(std::uint32_t color, int shift) {
  return static_cast<std::uint8_t>(color >> shift);
}

std::uint32_t mean_color(const StateCounts& counts, const MapColors& colors) {
  const auto total = static_cast<std::uint64_t>(std::max<std::int64_t>(1, counts.total()));
  std::uint32_t mixed = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    const std::uint64_t sum = static_cast<std::uint64_t>(counts.unborn) * channel(colors.unborn, shift) +
                              static_cast<std::uint64_t>(counts.window) * channel(colors.window, shift) +
                              static_cast<std::uint64_t>(counts.doomed) * channel(colors.doomed, shift) +
                              static_cast<std::uint64_t>(counts.kept) * channel(colors.kept, shift) +
                              static_cast<std::uint64_t>(counts.evicted) * channel(colors.evicted, shift);
    mixed |= static_cast<std::uint32_t>((sum + total / 2) / total) << shift;
  }
  return mixed;
}

// Kept against evicted is what most of any map consists of: mixed once, looked up after.
class KeptRamp {
 public:
  explicit KeptRamp(const MapColors& colors) {
    for (std::size_t i = 0; i < kSteps; ++i) {
      const auto evicted = static_cast<std::int64_t>(i);
      colors_[i] = mean_color({0, 0, 0, static_cast<std::int64_t>(kSteps) - 1 - evicted, evicted}, colors);
    }
  }
  std::uint32_t at(std::int64_t evicted, std::int64_t total) const {
    const std::int64_t scaled = evicted * static_cast<std::int64_t>(kSteps - 1);
    return colors_[static_cast<std::size_t>((scaled + total / 2) / total)];
  }

 private:
  static constexpr std::size_t kSteps = 256;  // one more than 8 bits can tell apart
  std::array<std::uint32_t, kSteps> colors_{};
};

StateCounts count_between(const CacheView::Marks& marks, const Borders& borders, std::int32_t first_head,
                          std::int32_t head_count, TokenRange tokens) {
  const TokenRange left{tokens.begin, tokens.begin + overlap(tokens, 0, borders.left)};
  const TokenRange window{std::max(tokens.begin, borders.left), std::min(tokens.end, borders.decided)};
  StateCounts counts;
  const std::int32_t judged = marks.index->judged();
  for (std::int32_t head = first_head; head < first_head + head_count; ++head) {
    const auto rank = [&](std::int32_t t) { return marks.index->rank(head, std::min(t, judged)); };
    if (left.size() > 0) counts.evicted += rank(left.end) - rank(left.begin);
    if (window.size() > 0) counts.doomed += rank(window.end) - rank(window.begin);
  }
  const auto heads = std::int64_t{head_count};
  counts.kept = heads * left.size() - counts.evicted;
  counts.window = heads * overlap(tokens, borders.left, borders.born) - counts.doomed;
  counts.unborn = heads * tokens.size() - counts.kept - counts.evicted - counts.window - counts.doomed;
  return counts;
}

// Pixels that lie left of the window in whole: their borders' ranks are shared by neighbours.
std::int32_t draw_settled(const CacheView::Marks& marks, const MapRow& row,
                          const std::vector<TokenRange>& pixels, std::int32_t end_token, const KeptRamp& ramp,
                          std::uint32_t* out) {
  std::int32_t begin = pixels.front().begin;
  const auto rank_of_row = [&](std::int32_t t) {
    std::int64_t rank = 0;
    for (std::int32_t i = 0; i < row.head_count; ++i) rank += marks.index->rank(row.first_head + i, t);
    return rank;
  };
  std::int64_t begin_rank = begin <= end_token ? rank_of_row(begin) : 0;
  std::int32_t pixel = 0;
  for (const TokenRange& tokens : pixels) {
    const std::int32_t end = tokens.end;
    // With fewer tokens than pixels neighbours share a token, and there are no ranks to share.
    if (end > end_token || tokens.begin != begin) break;
    const std::int64_t end_rank = rank_of_row(end);
    out[pixel++] = ramp.at(end_rank - begin_rank, std::int64_t{end - begin} * row.head_count);
    begin = end;
    begin_rank = end_rank;
  }
  return pixel;
}

}  // namespace

StateCounts count_states(const CacheView::Marks& marks, std::int32_t first_head, std::int32_t head_count,
                         TokenRange tokens, std::int32_t s) {
  return count_between(marks, borders_at(marks, s), first_head, head_count, tokens);
}

void draw_map(const CacheView::Marks& marks, const std::vector<MapRow>& rows, const TokenAxis& axis,
              std::int32_t s, const MapColors& colors, MapImage& image) {
  image.width = std::max(0, axis.width);
  image.height = static_cast<std::int32_t>(rows.size());
  image.pixels.assign(static_cast<std::size_t>(image.width) * rows.size(), colors.unborn);
  if (axis.tokens.size() <= 0 || image.width == 0) return;
  const Borders borders = borders_at(marks, s);
  const std::int32_t settled = std::min(borders.left, marks.index->judged());
  const KeptRamp ramp(colors);
  std::vector<TokenRange> pixels;  // divided once, not once a row
  for (std::int32_t pixel = 0; pixel < image.width; ++pixel) pixels.push_back(axis.at(pixel));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::uint32_t* out = image.pixels.data() + i * static_cast<std::size_t>(image.width);
    std::int32_t pixel = draw_settled(marks, rows[i], pixels, settled, ramp, out);
    for (; pixel < image.width; ++pixel) {
      const TokenRange tokens = pixels[static_cast<std::size_t>(pixel)];
      if (tokens.begin >= borders.born) break;  // the rest is unborn
      // With fewer tokens than pixels neighbours show the same.
      if (pixel > 0 && tokens == pixels[static_cast<std::size_t>(pixel - 1)]) {
        out[pixel] = out[pixel - 1];
        continue;
      }
      out[pixel] =
          mean_color(count_between(marks, borders, rows[i].first_head, rows[i].head_count, tokens), colors);
    }
  }
}

}  // namespace app::view
