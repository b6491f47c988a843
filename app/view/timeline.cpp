#include "app/view/timeline.hpp"

#include <algorithm>
#include <utility>

namespace app::view {

namespace {

// Spans looked at to find the longest one of a merged box: its colour is a hint, its count is exact.
constexpr std::size_t kLookedAt = 64;

// Items are sorted by start and do not overlap. `start` and `end` take an index; `box` makes one of [i, j).
template <typename Start, typename End, typename Box>
std::vector<TimelineBox> merge(std::size_t count, const TimelineView& view, const Start& start,
                               const End& end, const Box& box) {
  std::vector<TimelineBox> boxes;
  if (view.times.end_ns <= view.times.begin_ns || !(view.width > 0)) return boxes;
  const auto first_from = [&](std::size_t low, std::int64_t ns) {
    std::size_t high = count;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (start(middle) < ns) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
  std::size_t i = first_from(0, view.times.begin_ns);
  if (i > 0 && end(i - 1) > view.times.begin_ns) --i;
  while (i < count && start(i) < view.times.end_ns) {
    std::size_t next = i + 1;
    const float x = view.x_of(start(i));
    if (view.x_of(end(i)) - x < view.min_px) {
      next = first_from(next, std::max(start(i) + 1, view.ns_at(x + view.min_px)));
      // The last one may be long enough to stand for itself.
      const bool last_is_wide =
          next > i + 1 && view.x_of(end(next - 1)) - view.x_of(start(next - 1)) >= view.min_px;
      if (last_is_wide) --next;
    }
    TimelineBox made = box(i, next);
    made.count = static_cast<std::int32_t>(next - i);
    made.start_ns = start(i);
    made.end_ns = std::max(end(i), end(next - 1));
    made.x = std::max(0.0f, x);
    made.width =
        std::clamp(view.x_of(made.end_ns), made.x + view.min_px, std::max(view.width, made.x + view.min_px)) -
        made.x;
    boxes.push_back(made);
    i = next;
  }
  return boxes;
}

}  // namespace

// --- the index
// ----------------------------------------------------------------------------------------------

void TimelineIndex::update(const RunSnapshot& run) {
  if (run.run_id() != run_id_) {
    run_id_ = run.run_id();
    tracks_.clear();
    known_ = forgotten_ = 0;
  }
  spans_ = run.spans();
  forget_before(first());
  for (known_ = std::max(known_, first()); known_ < end(); ++known_) add(known_);
}

TimelineTrack& TimelineIndex::track_of(const engine::Span& span) {
  const auto found = std::find_if(tracks_.begin(), tracks_.end(), [&](const TimelineTrack& track) {
    return track.device == span.device && track.stream == span.stream;
  });
  if (found != tracks_.end()) return *found;
  TimelineTrack track;
  track.device = span.device;
  track.stream = span.stream;
  return *tracks_.insert(std::upper_bound(tracks_.begin(), tracks_.end(), track,
                                          [](const TimelineTrack& a, const TimelineTrack& b) {
                                            return std::pair(a.device, a.stream) <
                                                   std::pair(b.device, b.stream);
                                          }),
                         std::move(track));
}

void TimelineIndex::add(std::int64_t number) {
  const engine::Span& span = this->span(number);
  TimelineTrack& track = track_of(span);
  // Spans come nearly in order: a late one moves back a few places.
  auto place = track.spans.end();
  while (place != track.spans.begin() && this->span(*(place - 1)).start_ns > span.start_ns) --place;
  track.spans.insert(place, number);
  auto after = track.layers.end();
  while (after != track.layers.begin() && (after - 1)->start_ns > span.start_ns) --after;
  const bool extends =
      after != track.layers.begin() && (after - 1)->step == span.step && (after - 1)->layer == span.layer;
  if (extends) {
    (after - 1)->end_ns = std::max((after - 1)->end_ns, span.end_ns);
  } else {
    track.layers.insert(after, {span.start_ns, span.end_ns, span.step, span.layer, number});
  }
}

void TimelineIndex::forget_before(std::int64_t number) {
  if (tracks_.empty() || number <= forgotten_) return;
  forgotten_ = number;
  for (TimelineTrack& track : tracks_) {
    std::erase_if(track.spans, [&](std::int64_t span) { return span < number; });
    std::erase_if(track.layers, [&](const LayerBlock& block) { return block.first_span < number; });
  }
}

// --- boxes
// --------------------------------------------------------------------------------------------------

float TimelineView::x_of(std::int64_t ns) const {
  const auto span = static_cast<double>(times.end_ns) - static_cast<double>(times.begin_ns);
  if (span <= 0) return 0;
  return static_cast<float>((static_cast<double>(ns) - static_cast<double>(times.begin_ns)) / span * width);
}

std::int64_t TimelineView::ns_at(float x) const {
  if (width <= 0) return times.begin_ns;
  const auto span = static_cast<double>(times.end_ns) - static_cast<double>(times.begin_ns);
  const double ns = static_cast<double>(x) / static_cast<double>(width) * span;
  return times.begin_ns + static_cast<std::int64_t>(std::clamp(ns, -0x1p61, 0x1p61));
}

std::vector<TimelineBox> step_boxes(const RunSnapshot& run, const TimelineView& view) {
  const auto step = [&](std::size_t i) -> const StepRecord& {
    return run.step(static_cast<std::int32_t>(i));
  };
  return merge(
      static_cast<std::size_t>(run.step_count()), view, [&](std::size_t i) { return step(i).start_ns; },
      [&](std::size_t i) { return step(i).end_ns; },
      [&](std::size_t i, std::size_t) {
        TimelineBox box;
        box.step = step(i).step;
        return box;
      });
}

std::vector<TimelineBox> layer_boxes(const TimelineTrack& track, const TimelineView& view) {
  return merge(
      track.layers.size(), view, [&](std::size_t i) { return track.layers[i].start_ns; },
      [&](std::size_t i) { return track.layers[i].end_ns; },
      [&](std::size_t i, std::size_t) {
        TimelineBox box;
        box.step = track.layers[i].step;
        box.layer = track.layers[i].layer;
        box.span = track.layers[i].first_span;
        return box;
      });
}

std::vector<TimelineBox> kernel_boxes(const TimelineIndex& index, const TimelineTrack& track,
                                      const TimelineView& view) {
  const auto span = [&](std::size_t i) -> const engine::Span& { return index.span(track.spans[i]); };
  return merge(
      track.spans.size(), view, [&](std::size_t i) { return span(i).start_ns; },
      [&](std::size_t i) { return span(i).end_ns; },
      [&](std::size_t i, std::size_t next) {
        TimelineBox box;
        box.step = span(i).step;
        box.layer = span(i).layer;
        box.span = track.spans[i];
        const std::size_t stride = std::max<std::size_t>(1, (next - i) / kLookedAt);
        std::int64_t longest = -1;
        for (std::size_t k = i; k < next; k += stride) {
          const std::int64_t duration = span(k).end_ns - span(k).start_ns;
          if (duration <= longest) continue;
          longest = duration;
          box.operation = span(k).operation;
          box.kernel = span(k).kernel;
        }
        return box;
      });
}

}  // namespace app::view
