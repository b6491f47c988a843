// What is above the lanes of the kernel timeline (overview, axis, steps) and over them (the selected times):
// painting only, from boxes that view/timeline.hpp computes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/panels/timeline_drawing.hpp"
#include "app/gui/panels/timeline_panel.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"

namespace app::gui {

void TimelinePanel::draw_overview(PanelContext& context, Frame& frame, float& y) {
  Ui& ui = context.ui;
  const view::RunSnapshot& run = context.bench.run();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 low{frame.low.x, y}, high{frame.high.x, y + ui.px(14)};
  // The step around the view, or the whole run where the view is wider than a step.
  overview_ = limits_;
  std::string name = "run";
  const std::int64_t middle = times_.begin_ns + (times_.end_ns - times_.begin_ns) / 2;
  const view::TimelineView point{{middle, middle + 1}, 1, 0};
  const auto around = view::step_boxes(run, point);
  if (!around.empty()) {
    const std::int32_t index = run.step_index(around.front().step);
    if (index >= 0 &&
        times_.end_ns - times_.begin_ns < (run.step(index).end_ns - run.step(index).start_ns) * 11 / 10) {
      overview_ = {run.step(index).start_ns, run.step(index).end_ns};
      name = "step " + view::format_count(run.step(index).step);
    }
  }
  gutter(ui, frame, y - ui.px(1), name, Role::text);
  list.AddRectFilled(low, high, ui.u32(Role::header));
  const view::TimelineView view{overview_, frame.view.width, 1};
  list.PushClipRect(low, high, true);
  const bool whole_run = overview_ == limits_;
  if (whole_run) {
    for (const view::TimelineBox& box : view::step_boxes(run, view)) {
      list.AddRectFilled({low.x + box.x, low.y},
                         {low.x + box.x + std::max(1.0F, box.width - (box.width > 4 ? 1 : 0)), high.y},
                         ui.u32(Role::lane_step));
    }
  } else {
    for (const view::TimelineLane& lane : lanes_) {
      if (lane.kind != view::LaneKind::kernels) continue;
      for (const view::TimelineBox& box : view::kernel_boxes(index_, track_of(lane), view)) {
        list.AddRectFilled({low.x + box.x, low.y}, {low.x + box.x + box.width, high.y},
                           ui.u32(role_of(colors_.of_operation(box.operation))));
      }
    }
  }
  list.PopClipRect();
  const float left = std::clamp(low.x + view.x_of(times_.begin_ns), low.x, high.x - ui.px(3));
  const float right = std::clamp(low.x + view.x_of(times_.end_ns), left + ui.px(3), high.x);
  list.AddRectFilled(low, {left, high.y}, to_u32(with_alpha(ui.color(Role::panel), 0.55)));
  list.AddRectFilled({right, low.y}, high, to_u32(with_alpha(ui.color(Role::panel), 0.55)));
  list.AddRect({left, low.y - ui.px(1)}, {right, high.y + ui.px(1)}, ui.u32(Role::hover_line), ui.px(2), 0,
               ui.px(1));
  drawn_item("overview", low, high);
  y = high.y + ui.px(4);
}

void TimelinePanel::draw_axis(PanelContext& context, const Frame& frame, float& y) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  for (const view::TimeTick& tick : view::time_ticks(frame.view, frame.origin, ui.px(76))) {
    const float x = std::round(frame.low.x + tick.x);
    list.AddLine({x, y + ui.px(13)}, {x, frame.high.y}, ui.u32(Role::grid), ui.px(1));
    const float width = ImGui::CalcTextSize(tick.text.c_str()).x;
    if (x - width / 2 < frame.low.x || x + width / 2 > frame.high.x) continue;
    list.AddText({std::round(x - width / 2), y}, ui.u32(Role::text2), tick.text.c_str());
  }
  gutter(ui, frame, y - ui.px(2), frame.origin == 0 ? "since start" : "in the step", Role::text3);
  y += ui.px(16);
}

void TimelinePanel::draw_step_lane(PanelContext& context, const Frame& frame, float& y) {
  Ui& ui = context.ui;
  const view::RunSnapshot& run = context.bench.run();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  gutter(ui, frame, y, "step");
  list.PushClipRect({frame.low.x, y}, {frame.high.x, y + ui.px(height::kLane)}, true);
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const engine::Step shown = context.bench.sequence().token(context.bench.position()).step;
  for (const view::TimelineBox& box : view::step_boxes(run, frame.view)) {
    const ImVec2 low{frame.low.x + box.x, y},
        high{low.x + std::max(ui.px(1), box.width - ui.px(1)), y + ui.px(height::kLane)};
    const bool current =
        box.count == 1 ? box.step == shown : shown >= box.step && shown < box.step + box.count;
    const bool pointed = item_hovered_ && pointer_in(low, high);
    list.AddRectFilled(low, high, ui.u32(Role::lane_step), ui.px(2));
    if (current) list.AddRectFilled({low.x, high.y - ui.px(2)}, high, ui.u32(Role::accent));
    if (pointed || context.bench.hover().step == box.step)
      list.AddRect(low, high, ui.u32(Role::hover_line), ui.px(2), 0, ui.px(1));
    const std::string time = view::format_duration(box.end_ns - box.start_ns);
    if (box.count == 1) {
      const std::int32_t index = run.step_index(box.step);
      const view::StepRecord& step = run.step(std::max(0, index));
      const std::string number = view::format_count(box.step);
      // The text stays in view where the box goes beyond it.
      write_in(list, {low.x, low.y}, {std::min(high.x, frame.high.x), high.y},
               fmt::format("step {}, {}, {}, {} token{}", number, phase_name(step.phase), time,
                           view::format_count(step.tokens), step.tokens == 1 ? "" : "s"),
               number, ui.u32(Role::text), ui.px(4));
    } else {
      write_in(list, low, high, fmt::format("{} steps", view::format_count(box.count)),
               view::format_count(box.count), ui.u32(Role::text2), ui.px(3));
    }
    if (pointed) {
      under_pointer_ = box;
      context.bench.next_hover().step = box.step;
      ImGui::BeginTooltip();
      label(ui,
            box.count == 1 ? fmt::format("step {}", view::format_count(box.step)).c_str()
                           : fmt::format("{} steps from {} on", view::format_count(box.count),
                                         view::format_count(box.step))
                                 .c_str(),
            Role::text, Face::ui_strong);
      tooltip_line(ui, "time", time);
      if (const std::int32_t index = run.step_index(box.step); box.count == 1 && index >= 0) {
        tooltip_line(ui, "phase", phase_name(run.step(index).phase));
        tooltip_line(ui, "tokens", view::format_count(run.step(index).tokens));
        tooltip_line(ui, "KV reads", view::format_count(run.step(index).kv_reads) + " slots");
      }
      ImGui::EndTooltip();
    }
    drawn_item(fmt::format("step {}", box.step).c_str(), low, high);
  }
  list.PopClipRect();
  y += ui.px(height::kLane + 2);
}

void TimelinePanel::draw_times(PanelContext& context, const Frame& frame) {
  const auto& times = context.bench.selection().times;
  if (!times) return;
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const float left = frame.x_of(times->begin_ns), right = frame.x_of(times->end_ns),
              top = overview_high_ + ui.px(2);
  if (right < frame.low.x || left > frame.high.x) return;
  list.PushClipRect({frame.low.x, top}, frame.high, true);
  list.AddRectFilled({left, top}, {right, frame.high.y}, to_u32(with_alpha(ui.color(Role::accent), 0.13)));
  for (const float x : {left, right})
    cased_line(list, {x, top}, {x, frame.high.y}, ui.color(Role::accent), ui.color(Role::casing), ui.px(1));
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  flag(list, (left + right) / 2, top, frame.low.x, frame.high.x,
       view::format_duration(times->end_ns - times->begin_ns), true, ui.theme(), ui.metrics());
  list.PopClipRect();
}

}  // namespace app::gui
