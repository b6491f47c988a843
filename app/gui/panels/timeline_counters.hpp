// Counters over the whole run, under the lanes of the timeline: tokens per second, and bytes of the cache.
//
// Their axis is positions, not time: within one step, which is what the lanes usually show, a counter stands
// still. What the lanes show is framed; a click goes to the position.
#pragma once

#include <cstdint>
#include <vector>

#include "app/gui/shell/panel.hpp"
#include "app/gui/widgets/position_plot.hpp"

namespace app::gui {

class TimelineCounters {
 public:
  static constexpr float kLeast = 66;  // pixels at 100 % that a counter needs

  // As many counters as fit into `height`, from the cursor on. The plots begin at `left`, counted from the
  // cursor.
  void draw(PanelContext& context, float left, float height, view::TimeRange shown);

 private:
  struct Point {
    std::int32_t position = 0;
    double rate = 0;  // 0: unknown
    view::CacheSize size;
  };
  void update(Workbench& bench);
  void draw_rate(PanelContext& context, ImVec2 size, view::TokenRange shown);
  void draw_bytes(PanelContext& context, ImVec2 size, view::TokenRange shown);

  std::vector<Point> points_;
  std::uint64_t run_id_ = 0;
  engine::SequenceId sequence_ = -1;
  std::int32_t positions_ = 0;
};

}  // namespace app::gui
