// The kernel timeline: lanes of boxes, stream > step > layer > kernel, at the level of detail of the pixels
// there are.
//
// TimelineIndex sorts the spans of a snapshot into tracks, one per (device, stream), and goes on from what it
// has when the run grows. A GPU's spans become known in any order, some time after their step. Boxes are at
// least min_px wide; what is narrower is merged with its neighbours into a box that says how many it stands
// for. Cost depends on the width, not on the number of spans.
//
// Boxes of one track do not cover each other: a box is what its span is charged with (charged_times.hpp).
// What ran while an earlier one still did, waiting for it, is told beside the box.
#pragma once

#include <cstdint>
#include <vector>

#include "app/view/charged_times.hpp"
#include "app/view/kernel_class.hpp"
#include "app/view/run_snapshot.hpp"
#include "app/view/selection.hpp"

namespace app::view {

// Neighbouring spans of one layer in one step, or of one step.
struct TimelineBlock {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  engine::Step step = 0;
  std::int16_t layer = -1;
  std::size_t first = 0;  // index into TimelineTrack::spans
};

struct TimelineTrack {
  std::int16_t device = -1;  // -1: the CPU
  std::int32_t stream = 0;
  // A GPU's copies and sets are a track of their own: they would hide kernels, which are what matters.
  bool copies = false;
  bool overlaps = false;              // a span began before an earlier one had ended
  std::vector<std::int64_t> spans;    // numbers since the run's start, as runs_before() orders them
  std::vector<TimelineBlock> layers;  // spans of no known step are in neither
  std::vector<TimelineBlock> steps;
};

class TimelineIndex {
 public:
  void update(const RunSnapshot& run);
  const std::vector<TimelineTrack>& tracks() const { return tracks_; }
  // A span by its number; it must not have been dropped.
  const engine::Span& span(std::int64_t number) const {
    return spans_[static_cast<std::size_t>(number - spans_.dropped())];
  }
  const ChargedTimes& charged() const { return charged_; }
  // Numbers held: [first(), end()).
  std::int64_t first() const { return spans_.dropped(); }
  std::int64_t end() const { return spans_.dropped() + static_cast<std::int64_t>(spans_.size()); }

 private:
  void learn_names(const RunSnapshot& run);
  bool is_copy(const engine::Span& span) const;
  TimelineTrack& track_of(const engine::Span& span);
  void merge_in(TimelineTrack& track, std::vector<std::int64_t> fresh) const;
  void rebuild_blocks(TimelineTrack& track, std::size_t from) const;
  void forget_before(std::int64_t number);
  void forget_first(TimelineTrack& track, std::size_t count) const;

  std::uint64_t run_id_ = 0;
  std::int64_t known_ = 0;  // spans below it are in the tracks, or dropped
  std::int64_t forgotten_ = 0;
  SpanView spans_;
  ChargedTimes charged_;
  std::vector<TimelineTrack> tracks_;
  std::vector<bool> operation_copies_, kernel_copies_;  // by index: whether that is a copy
};

struct TimelineBox {
  float x = 0;  // pixels from the left edge, cut to the view
  float width = 0;
  std::int32_t count = 1;       // steps, layers or spans that it stands for
  engine::Step step = 0;        // of the first
  std::int16_t layer = -1;      // of the first
  std::int16_t operation = -1;  // of the longest, as far as looked
  std::int16_t kernel = -1;
  std::int64_t span = -1;  // number of the first
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  // Of a single kernel: the part that it ran while an earlier one did, from start_ns on. Of what ran `inside`
  // an earlier one, which may be several, nothing else is to be drawn.
  float wait_x = 0;  // pixels, cut to the view
  float wait_width = 0;
  int wait_row = 0;  // 0 or 1: neighbours that wait at one time differ
  bool inside = false;
};

struct TimelineView {
  TimeRange times;
  float width = 0;   // pixels
  float min_px = 3;  // narrower boxes are merged

  float x_of(std::int64_t ns) const;
  std::int64_t ns_at(float x) const;
};

std::vector<TimelineBox> step_boxes(const RunSnapshot& run, const TimelineView& view);
// These begin where the first of their spans is charged from.
std::vector<TimelineBox> layer_boxes(const TimelineIndex& index, const TimelineTrack& track,
                                     const TimelineView& view);
// The steps of one stream, by what it did for them.
std::vector<TimelineBox> step_boxes(const TimelineIndex& index, const TimelineTrack& track,
                                    const TimelineView& view);
std::vector<TimelineBox> kernel_boxes(const TimelineIndex& index, const TimelineTrack& track,
                                      const TimelineView& view);

}  // namespace app::view
