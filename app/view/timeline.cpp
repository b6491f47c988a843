#include "app/view/timeline.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace app::view {

namespace {

// Spans looked at to find the longest one of a merged box: its colour is a hint, its count is exact.
constexpr std::size_t kLookedAt = 64;

// As many items before the view may reach into it: a stream's kernels overlap by one or two.
constexpr std::size_t kMayOverlap = 16;

// Items are sorted by start and overlap little. `start` and `end` take an index; `box` makes one of [i, j).
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
  const std::size_t inside = i;
  for (std::size_t back = 1; back <= std::min(inside, kMayOverlap); ++back) {
    if (end(inside - back) > view.times.begin_ns) i = inside - back;
  }
  while (i < count && start(i) < view.times.end_ns) {
    if (i < inside && end(i) <= view.times.begin_ns) {
      ++i;
      continue;
    }
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
    made.end_ns = std::max({start(i), end(i), end(next - 1)});
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
    operation_copies_.clear();
    kernel_copies_.clear();
    known_ = forgotten_ = 0;
  }
  spans_ = run.spans();
  charged_.update(run);
  learn_names(run);
  forget_before(first());
  known_ = std::max(known_, first());
  if (known_ == end()) return;

  using Key = std::tuple<std::int16_t, std::int32_t, bool>;
  std::map<Key, std::vector<std::int64_t>> fresh;
  std::vector<std::int64_t>* numbers = nullptr;
  Key key_of_numbers;
  for (; known_ < end(); ++known_) {
    const engine::Span& span = this->span(known_);
    const Key key{span.device, span.stream, is_copy(span)};
    if (numbers == nullptr || key != key_of_numbers) {
      numbers = &fresh[key];
      key_of_numbers = key;
    }
    numbers->push_back(known_);
  }
  for (auto& [key, added] : fresh) {
    TimelineTrack& track = track_of(this->span(added.front()));
    merge_in(track, std::move(added));
  }
}

void TimelineIndex::learn_names(const RunSnapshot& run) {
  if (operation_copies_.empty()) {
    for (const std::string& name : run.run().operations)
      operation_copies_.push_back(class_of_kernel(name) == KernelClass::copy);
  }
  while (const std::string* const name = run.kernel_name(static_cast<std::int32_t>(kernel_copies_.size())))
    kernel_copies_.push_back(class_of_kernel(*name) == KernelClass::copy);
}

bool TimelineIndex::is_copy(const engine::Span& span) const {
  const auto at = [](const std::vector<bool>& copies, std::int16_t index) {
    return index >= 0 && static_cast<std::size_t>(index) < copies.size() &&
           copies[static_cast<std::size_t>(index)];
  };
  return span.device >= 0 && (at(kernel_copies_, span.kernel) || at(operation_copies_, span.operation));
}

TimelineTrack& TimelineIndex::track_of(const engine::Span& span) {
  TimelineTrack track;
  track.device = span.device;
  track.stream = span.stream;
  track.copies = is_copy(span);
  const auto place = std::lower_bound(
      tracks_.begin(), tracks_.end(), track, [](const TimelineTrack& a, const TimelineTrack& b) {
        return std::tuple(a.device, a.stream, a.copies) < std::tuple(b.device, b.stream, b.copies);
      });
  const bool known = place != tracks_.end() && place->device == span.device && place->stream == span.stream &&
                     place->copies == track.copies;
  return known ? *place : *tracks_.insert(place, std::move(track));
}

// Late ones are few and not very late: what comes before the earliest of them stays as it is.
void TimelineIndex::merge_in(TimelineTrack& track, std::vector<std::int64_t> fresh) const {
  const auto earlier = [this](std::int64_t a, std::int64_t b) { return runs_before(span(a), span(b)); };
  if (!std::is_sorted(fresh.begin(), fresh.end(), earlier))
    std::stable_sort(fresh.begin(), fresh.end(), earlier);
  const auto place = std::upper_bound(track.spans.begin(), track.spans.end(), fresh.front(), earlier);
  const auto from = place - track.spans.begin();
  const auto old = static_cast<std::ptrdiff_t>(track.spans.size());
  track.spans.insert(track.spans.end(), fresh.begin(), fresh.end());
  std::inplace_merge(track.spans.begin() + from, track.spans.begin() + old, track.spans.end(), earlier);
  track.overlaps = track.overlaps ||
                   std::any_of(track.spans.begin() + from, track.spans.end(),
                               [this](auto each) { return charged_.from_ns(each) > span(each).start_ns; });
  rebuild_blocks(track, static_cast<std::size_t>(from));
}

void TimelineIndex::rebuild_blocks(TimelineTrack& track, std::size_t from) const {
  const auto build = [&](std::vector<TimelineBlock>& blocks, bool by_layer) {
    while (!blocks.empty() && blocks.back().first >= from) blocks.pop_back();
    std::size_t next = 0;
    if (!blocks.empty()) {
      // Spans of the last one may come after what was put between them.
      next = blocks.back().first;
      blocks.pop_back();
    }
    for (; next < track.spans.size(); ++next) {
      const engine::Span& one = span(track.spans[next]);
      if (one.step < 0) continue;
      const std::int16_t layer = by_layer ? one.layer : std::int16_t{-1};
      if (!blocks.empty() && blocks.back().step == one.step && blocks.back().layer == layer) {
        blocks.back().end_ns = std::max(blocks.back().end_ns, one.end_ns);
      } else {
        blocks.push_back({one.start_ns, one.end_ns, one.step, layer, next});
      }
    }
  };
  build(track.layers, true);
  build(track.steps, false);
}

void TimelineIndex::forget_before(std::int64_t number) {
  if (tracks_.empty() || number <= forgotten_) return;
  forgotten_ = number;
  for (TimelineTrack& track : tracks_) {
    const auto dropped = [&](std::int64_t span) { return span < number; };
    const auto kept = std::find_if_not(track.spans.begin(), track.spans.end(), dropped);
    if (std::any_of(kept, track.spans.end(), dropped)) {
      std::erase_if(track.spans, dropped);
      track.layers.clear();
      track.steps.clear();
      rebuild_blocks(track, 0);
    } else if (kept != track.spans.begin()) {
      forget_first(track, static_cast<std::size_t>(kept - track.spans.begin()));
    }
  }
}

void TimelineIndex::forget_first(TimelineTrack& track, std::size_t count) const {
  track.spans.erase(track.spans.begin(), track.spans.begin() + static_cast<std::ptrdiff_t>(count));
  for (std::vector<TimelineBlock>* blocks : {&track.layers, &track.steps}) {
    auto kept = std::partition_point(blocks->begin(), blocks->end(),
                                     [&](const TimelineBlock& block) { return block.first < count; });
    const std::size_t next = kept == blocks->end() ? count + track.spans.size() : kept->first;
    if (kept != blocks->begin() && next > count) {  // a part of the one before is left
      --kept;
      kept->first = count;
      kept->start_ns = span(track.spans.front()).start_ns;
    }
    blocks->erase(blocks->begin(), kept);
    for (TimelineBlock& block : *blocks) block.first -= count;
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
  const auto start = [&](std::size_t i) { return step(i).start_ns; };
  return merge(
      static_cast<std::size_t>(run.step_count()), view, start, [&](std::size_t i) { return step(i).end_ns; },
      [&](std::size_t i, std::size_t) {
        TimelineBox box;
        box.step = step(i).step;
        return box;
      });
}

namespace {

std::vector<TimelineBox> block_boxes(const TimelineIndex& index, const TimelineTrack& track,
                                     const std::vector<TimelineBlock>& blocks, const TimelineView& view) {
  const auto start = [&](std::size_t i) { return index.charged().from_ns(track.spans[blocks[i].first]); };
  return merge(
      blocks.size(), view, start, [&](std::size_t i) { return blocks[i].end_ns; },
      [&](std::size_t i, std::size_t) {
        TimelineBox box;
        box.step = blocks[i].step;
        box.layer = blocks[i].layer;
        box.span = track.spans[blocks[i].first];
        return box;
      });
}

// What the box covers is what its spans are charged with; the rest stands beside it.
void cut_to_charged(TimelineBox& box, const TimelineIndex& index, const TimelineView& view) {
  const std::int64_t from = index.charged().from_ns(box.span);
  const std::int64_t wait_end = std::min(from, box.end_ns);
  if (wait_end <= box.start_ns) return;
  box.inside = from >= box.end_ns;
  const float end = box.x + box.width;
  if (box.count == 1 || box.inside) {
    box.wait_x = box.x;
    box.wait_width = std::max(0.0f, std::min(end, view.x_of(wait_end)) - box.x);
  }
  if (box.inside) return;
  box.x = std::max(0.0f, view.x_of(from));
  box.width = std::max(1.0f, end - box.x);
  if (box.count > 1) box.start_ns = from;
}

// Whether span i of the track waits at the same time as the one before it or after it.
bool waits_in_company(const TimelineIndex& index, const TimelineTrack& track, std::size_t i) {
  const auto wait_of = [&](std::size_t k) {
    const engine::Span& span = index.span(track.spans[k]);
    return TimeRange{span.start_ns, std::min(span.end_ns, index.charged().from_ns(track.spans[k]))};
  };
  const TimeRange wait = wait_of(i);
  return (i > 0 && wait_of(i - 1).end_ns > wait.begin_ns) ||
         (i + 1 < track.spans.size() && wait_of(i + 1).begin_ns < wait.end_ns);
}

}  // namespace

std::vector<TimelineBox> layer_boxes(const TimelineIndex& index, const TimelineTrack& track,
                                     const TimelineView& view) {
  return block_boxes(index, track, track.layers, view);
}

std::vector<TimelineBox> step_boxes(const TimelineIndex& index, const TimelineTrack& track,
                                    const TimelineView& view) {
  return block_boxes(index, track, track.steps, view);
}

std::vector<TimelineBox> kernel_boxes(const TimelineIndex& index, const TimelineTrack& track,
                                      const TimelineView& view) {
  const auto span = [&](std::size_t i) -> const engine::Span& { return index.span(track.spans[i]); };
  std::vector<TimelineBox> boxes = merge(
      track.spans.size(), view, [&](std::size_t i) { return span(i).start_ns; },
      [&](std::size_t i) { return span(i).end_ns; },
      [&](std::size_t i, std::size_t next) {
        TimelineBox box;
        box.step = span(i).step;
        box.layer = span(i).layer;
        box.span = track.spans[i];
        if (waits_in_company(index, track, i)) box.wait_row = static_cast<int>(i % 2);
        const std::size_t stride = std::max<std::size_t>(1, (next - i) / kLookedAt);
        std::int64_t longest = -1;
        for (std::size_t k = i; k < next; k += stride) {
          const engine::Span charged = index.charged().charged(track.spans[k]);
          const std::int64_t duration = charged.end_ns - charged.start_ns;
          if (duration <= longest) continue;
          longest = duration;
          box.operation = charged.operation;
          box.kernel = charged.kernel;
        }
        return box;
      });
  for (TimelineBox& box : boxes) cut_to_charged(box, index, view);
  return boxes;
}

}  // namespace app::view
