// The kernel timeline: lanes stream > step > layer > kernel, a step overview above them and the KV slots that
// attention read below, on one time axis; counters of the whole run where there is room. Follows the position
// shown unless told not to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "app/gui/panels/kernel_colors.hpp"
#include "app/gui/panels/timeline_counters.hpp"
#include "app/gui/shell/panel.hpp"
#include "app/view/time_axis.hpp"
#include "app/view/timeline.hpp"

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
  // What the room is divided into, in pixels; what does not fit is left out, the overview first.
  struct Heights {
    bool overview = true;
    float lanes = 0;     // from the overview or the axis to the kernels
    float reads = 0;     // KV slots
    float counters = 0;  // 0: no room
  };
  struct Reads {  // of one step
    std::vector<std::int64_t> layers;
    std::int64_t dense = 0;
  };

  void follow_position(PanelContext& context, const view::StepRecord& step);
  void fit_layers(const view::StepRecord& step, std::int32_t layer);
  Heights divide(const Ui& ui, float room) const;
  void draw_toolbar(PanelContext& context);
  void draw_overview(PanelContext& context, Frame& frame, float& y);
  void draw_axis(PanelContext& context, const Frame& frame, float& y);
  void draw_step_lane(PanelContext& context, const Frame& frame, float& y);
  void draw_layer_lane(PanelContext& context, const Frame& frame, const view::TimelineTrack& track, float& y);
  void draw_kernel_lane(PanelContext& context, const Frame& frame, const view::TimelineTrack& track,
                        float& y);
  void draw_reads(PanelContext& context, const Frame& frame, float y, float height);
  void draw_times(PanelContext& context, const Frame& frame);
  void gutter(const Ui& ui, const Frame& frame, float y, const std::string& name, Role role = Role::text2);
  void handle_input(PanelContext& context, Frame& frame);
  void handle_keys(Frame& frame);
  void set_times(view::TimeRange times);
  void click(PanelContext& context);
  const Reads& reads_of(PanelContext& context, engine::Step step);

  KernelColors colors_;
  TimelineCounters counters_;
  view::TimelineIndex index_;
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
