// The kernel timeline: lanes stream > step > layer > kernel, a step overview above them and the KV slots that
// attention read below, on one time axis; counters of the whole run where there is room. Follows the position
// shown unless told not to. A GPU has a group of lanes for each stream, then one for the calls that launch
// and one for what profiling itself takes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "app/gui/panels/kernel_colors.hpp"
#include "app/gui/panels/timeline_counters.hpp"
#include "app/gui/panels/timeline_gpu_counters.hpp"
#include "app/gui/shell/panel.hpp"
#include "app/view/profile_facts.hpp"
#include "app/view/time_axis.hpp"
#include "app/view/timeline.hpp"
#include "app/view/timeline_lanes.hpp"

namespace app::gui {

class TimelinePanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  enum class Drag { none, pan, overview, select, select_begin, select_end };
  // Where lanes are on the screen, and what times they show.
  struct Frame {
    ImVec2 low, high;  // of the lanes, without the gutter
    view::TimelineView view;
    std::int64_t origin = 0;  // what the axis counts from
    float x_of(std::int64_t ns) const { return low.x + view.x_of(ns); }
  };
  // What the room is divided into, in pixels; what does not fit is left out, the streams' steps first.
  struct Heights {
    bool overview = true;
    bool stream_steps = true;
    bool launches = true;
    bool profiler = true;
    float lanes = 0;         // from the overview or the axis to the last lane
    float reads = 0;         // KV slots
    float gpu_counters = 0;  // 0: none, or no room
    float counters = 0;      // 0: no room
    bool shows(view::LaneKind kind) const {
      return kind == view::LaneKind::launches ? launches : kind != view::LaneKind::profiler || profiler;
    }
  };
  struct Reads {  // of one step
    std::vector<std::int64_t> layers;
    std::int64_t dense = 0;
  };
  struct ReadsBar {
    float low = 0, high = 0;  // pixels from the left edge
    std::int64_t value = 0;
    bool pinned = false;
    std::int16_t layer = -1;  // -1: all of the step's
    engine::Step step = 0;
  };

  void follow_position(PanelContext& context, const view::StepRecord& step);
  void fit_layers(const view::StepRecord& step, std::int32_t layer);
  float lanes_height(const Ui& ui, const Heights& heights) const;
  Heights divide(const Ui& ui, float room, std::size_t gpu_counters) const;
  void update_facts(PanelContext& context);
  const view::StepRecord* told_step(const Workbench& bench) const;
  void draw_toolbar(PanelContext& context);
  float draw_badges(PanelContext& context, ImDrawList& list, float left, float right, float y);
  float draw_badge(Ui& ui, ImDrawList& list, ImVec2 at, const std::string& text, Role role);
  void explain_timers(const Ui& ui);
  void explain_losses(PanelContext& context);
  void draw_overview(PanelContext& context, Frame& frame, float& y);
  void draw_axis(PanelContext& context, const Frame& frame, float& y);
  void draw_step_lane(PanelContext& context, const Frame& frame, float& y);
  void draw_lane(PanelContext& context, const Frame& frame, const Heights& heights,
                 const view::TimelineLane& lane, float& y);
  void draw_stream_steps(PanelContext& context, const Frame& frame, const view::TimelineLane& lane, float& y);
  void draw_layer_lane(PanelContext& context, const Frame& frame, const view::TimelineLane& lane, float& y);
  void draw_kernel_lane(PanelContext& context, const Frame& frame, const view::TimelineLane& lane, float& y);
  // What waited for the kernel before is drawn below the kernels, where a stream's kernels overlap.
  bool has_waits(const view::TimelineLane& lane) const {
    return lane.kind == view::LaneKind::kernels && track_of(lane).overlaps;
  }
  void draw_box_tooltip(PanelContext& context, const Frame& frame, const view::TimelineLane& lane,
                        const view::TimelineBox& box);
  void draw_no_timings(PanelContext& context, const Frame& frame, float& y);
  void collect_reads(PanelContext& context, const Frame& frame, std::vector<ReadsBar>& bars,
                     std::int64_t& highest);
  void draw_reads(PanelContext& context, const Frame& frame, float y, float height);
  void draw_times(PanelContext& context, const Frame& frame);
  void gutter(const Ui& ui, const Frame& frame, float y, const std::string& name, Role role = Role::text2);
  const view::TimelineTrack& track_of(const view::TimelineLane& lane) const {
    return index_.tracks()[lane.track];
  }
  void handle_input(PanelContext& context, Frame& frame);
  void handle_keys(Frame& frame);
  void set_times(view::TimeRange times);
  void click(PanelContext& context);
  const Reads& reads_of(PanelContext& context, engine::Step step);

  KernelColors colors_;
  TimelineCounters counters_;
  TimelineGpuCounters gpu_counters_;
  view::TimelineIndex index_;
  std::vector<view::TimelineLane> lanes_;
  bool has_gpu_ = false;  // among them
  view::ProfileFacts facts_;
  std::uint64_t facts_of_ = 0;  // the snapshot's version
  std::uint64_t run_id_ = 0;
  bool follow_ = true;
  std::optional<std::int32_t> zoomed_layer_;
  view::TimeRange times_;
  view::TimeRange limits_;
  // Relative to the step that is followed; absent: all of the step.
  std::optional<view::TimeRange> in_step_;
  std::int64_t step_begin_ = 0;
  bool item_hovered_ = false;
  Drag drag_ = Drag::none;
  std::int64_t drag_from_ = 0;
  float overview_high_ = 0;
  view::TimeRange overview_;
  std::optional<view::TimelineBox> under_pointer_;
  bool pointed_kernel_ = false;
  std::map<engine::Step, Reads> reads_;
  engine::SequenceId reads_sequence_ = -1;
};

}  // namespace app::gui
