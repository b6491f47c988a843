// What a GPU told of itself while a run went on (memory, power, clocks, how busy it was), one thin plot each
// under the lanes of the timeline.
//
// Their axis is the time of the whole run, since within one step, which is what the lanes usually show, a
// sample or none lies. What the lanes show is shaded; the pointer reads all of them at one moment, a click
// goes to the step that ran then.
#pragma once

#include <cstdint>
#include <optional>

#include "app/gui/shell/panel.hpp"
#include "app/view/selection.hpp"
#include "app/view/time_axis.hpp"
#include "app/view/timeline.hpp"

namespace app::gui {

class TimelineGpuCounters {
 public:
  struct Times {
    view::TimeRange shown;  // by the lanes
    view::TimeRange run;    // of the axis
  };
  // Pixels that so many counters take.
  float height(const Ui& ui, std::size_t counters) const;
  // From the cursor on; scrolls where they do not fit. Plots begin at `left`, counted from the cursor.
  void draw(PanelContext& context, float left, float height, const Times& times);

 private:
  void draw_one(PanelContext& context, const view::CounterTrack& track, float left, const Times& times);
  void draw_curve(Ui& ui, const view::CounterTrack& track, const view::TimelineView& view, ImVec2 low,
                  ImVec2 high, double most) const;
  void explain(PanelContext& context, const view::CounterTrack& track, std::int64_t ns) const;
  void go_to(PanelContext& context, std::int64_t ns) const;

  std::optional<std::int64_t> pointed_ns_;             // of the frame before: every counter shows it
  std::optional<std::int64_t> next_pointed_ns_;        // of this one
  const view::CounterTrack* pointed_track_ = nullptr;  // while they are drawn
};

}  // namespace app::gui
