// The lanes of the kernel timeline's tracks: steps and layers of a stream, kernels, copies, launches.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/panels/span_tooltip.hpp"
#include "app/gui/panels/timeline_drawing.hpp"
#include "app/gui/panels/timeline_panel.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

using view::KernelClass;
using view::LaneKind;

// What only tells of the program and of memory stays behind what the model computes.
Color fill_of(const Ui& ui, const view::TimelineLane& lane, KernelClass kernel_class) {
  if (lane.kind == LaneKind::profiler) return ui.color(Role::sync);
  const Color fill = ui.color(role_of(kernel_class));
  return lane.kind == LaneKind::launches ? mix(ui.color(Role::panel), fill, 0.55) : fill;
}

struct Placed {
  ImVec2 low, high;
};

// Below the kernels' own parts, from where this one started to where the one before ended. `corner`: the left
// end of the lane's lower edge.
Placed wait_place(const Ui& ui, ImVec2 corner, const view::TimelineBox& box) {
  const ImVec2 low{corner.x + box.wait_x,
                   corner.y + ui.px(1) + static_cast<float>(box.wait_row) * ui.px(height::kWaitRow)};
  return {low, {low.x + std::max(ui.px(1), box.wait_width), low.y + ui.px(height::kWaitRow - 1)}};
}

void draw_wait(Ui& ui, ImDrawList& list, const Placed& at, Color fill) {
  list.AddRectFilled(at.low, at.high, to_u32(mix(fill, ui.color(Role::panel), 0.15)));
  if (at.high.x - at.low.x >= ui.px(4))
    ui.hatch().fill(list, at.low, at.high, with_alpha(ui.color(Role::panel), 0.45), ui.metrics());
}

}  // namespace

void TimelinePanel::draw_lane(PanelContext& context, const Frame& frame, const Heights& heights,
                              const view::TimelineLane& lane, float& y) {
  if (!heights.shows(lane.kind)) return;
  Ui& ui = context.ui;
  const float top = y;
  if (lane.kind == LaneKind::kernels && lane.on_gpu && heights.stream_steps)
    draw_stream_steps(context, frame, lane, y);
  if (lane.has_layers) draw_layer_lane(context, frame, lane, y);
  draw_kernel_lane(context, frame, lane, y);
  // The names at the left say in full what there is no room for.
  const ImVec2 low{ImGui::GetItemRectMin().x, top}, high{frame.low.x - ui.px(2), y - ui.px(2)};
  drawn_item(("lane " + lane.full_name).c_str(), low, high);
  if (!has_gpu_ || !item_hovered_ || !pointer_in(low, high)) return;
  ImGui::BeginTooltip();
  label(ui, lane.full_name.c_str(), Role::text, Face::ui_strong, text_size::kTable);
  const auto spans = static_cast<std::int64_t>(track_of(lane).spans.size());
  tooltip_note(ui, fmt::format("{} span{} in memory", view::format_count(spans), spans == 1 ? "" : "s"));
  ImGui::EndTooltip();
}

void TimelinePanel::draw_stream_steps(PanelContext& context, const Frame& frame,
                                      const view::TimelineLane& lane, float& y) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  gutter(ui, frame, y - ui.px(1), lane.device, Role::text3);
  const float bottom = y + ui.px(height::kThinLane);
  list.PushClipRect({frame.low.x, y}, {frame.high.x, bottom}, true);
  const FontScope font(ui.fonts(), Face::ui, text_size::kAxis);
  for (const view::TimelineBox& box : view::step_boxes(index_, track_of(lane), frame.view)) {
    const ImVec2 low{frame.low.x + box.x, y}, high{low.x + std::max(ui.px(1), box.width - ui.px(1)), bottom};
    const bool pointed = item_hovered_ && pointer_in(low, high);
    list.AddRectFilled(low, high, ui.u32(Role::lane_step), ui.px(2));
    if (pointed || context.bench.hover().step == box.step)
      list.AddRect(low, high, ui.u32(Role::hover_line), ui.px(2), 0, ui.px(1));
    const std::string time = view::format_duration(box.end_ns - box.start_ns);
    const std::string number = view::format_count(box.step);
    const bool merged = box.count > 1;
    write_in(list, {std::max(low.x, frame.low.x), low.y}, {std::min(high.x, frame.high.x), high.y},
             merged ? fmt::format("{} steps", view::format_count(box.count))
                    : fmt::format("step {} on this stream, {}", number, time),
             merged ? view::format_count(box.count) : number, ui.u32(Role::text2), ui.px(3));
    if (!merged) drawn_item(fmt::format("step {} of track {}", box.step, lane.track).c_str(), low, high);
    if (!pointed) continue;
    under_pointer_ = box;
    context.bench.next_hover().step = box.step;
    ImGui::BeginTooltip();
    label(ui,
          merged ? fmt::format("{} steps from {} on", view::format_count(box.count), number).c_str()
                 : fmt::format("step {} on this stream", number).c_str(),
          Role::text, Face::ui_strong);
    tooltip_line(ui, "time", time);
    tooltip_line(ui, "stream", lane.full_name);
    tooltip_note(ui, "from its first kernel's start to the last one's end");
    ImGui::EndTooltip();
  }
  list.PopClipRect();
  y = bottom + ui.px(2);
}

void TimelinePanel::draw_layer_lane(PanelContext& context, const Frame& frame, const view::TimelineLane& lane,
                                    float& y) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  gutter(ui, frame, y, "layer");
  list.PushClipRect({frame.low.x, y - ui.px(1)}, {frame.high.x, y + ui.px(height::kLane + 1)}, true);
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const auto& pinned = context.bench.selection().head;
  const view::Hover& hover = context.bench.hover();
  const std::int32_t hovered_layer = hover.layer ? *hover.layer : hover.head ? hover.head->layer : -1;
  bool any = false, step_seen = false;
  const float widest_name = ImGui::CalcTextSize("L00").x + ui.px(2);
  for (const view::TimelineBox& box : view::layer_boxes(index_, track_of(lane), frame.view)) {
    const bool merged = box.count > 1;
    step_seen = true;
    if (box.layer < 0 && !merged) continue;  // outside the layers: the kernel lane says what it is
    any = true;
    const ImVec2 low{frame.low.x + box.x, y},
        high{low.x + std::max(ui.px(1), box.width - ui.px(1)), y + ui.px(height::kLane)};
    const bool is_pinned = pinned && !merged && pinned->layer == box.layer;
    const bool pointed = item_hovered_ && pointer_in(low, high);
    list.AddRectFilled(low, high, ui.u32(is_pinned ? Role::accent_dim : Role::lane_layer), ui.px(2));
    if (is_pinned) list.AddRect(low, high, ui.u32(Role::accent), ui.px(2), 0, ui.px(1));
    if (pointed || (!merged && hovered_layer == box.layer))
      list.AddRect(low, high, ui.u32(Role::hover_line), ui.px(2), 0, ui.px(1));
    const std::string time = view::format_duration(box.end_ns - box.start_ns);
    // Of many alike all have a name, or none.
    const std::string short_layer =
        !lane.on_gpu || high.x - low.x >= widest_name ? fmt::format("L{}", box.layer) : "";
    write_in(list, {std::max(low.x, frame.low.x), low.y}, {std::min(high.x, frame.high.x), high.y},
             merged ? fmt::format("{} layers", box.count) : fmt::format("L{}  {}", box.layer, time),
             merged ? std::to_string(box.count) : short_layer, ui.u32(is_pinned ? Role::accent : Role::text2),
             ui.px(lane.on_gpu ? 1 : 3));
    if (pointed) {
      under_pointer_ = box;
      context.bench.next_hover().step = box.step;
      if (!merged) context.bench.next_hover().layer = box.layer;
      ImGui::BeginTooltip();
      label(ui,
            merged ? fmt::format("{} layers from L{} on", box.count, box.layer).c_str()
                   : fmt::format("layer {}", box.layer).c_str(),
            Role::text, Face::ui_strong);
      tooltip_line(ui, "time", time);
      tooltip_line(ui, "step", view::format_count(box.step));
      label(ui, "click pins the layer", Role::text3, Face::ui, text_size::kCaption);
      ImGui::EndTooltip();
    }
    if (!merged) drawn_item(fmt::format("layer {}/{}", box.step, box.layer).c_str(), low, high);
  }
  if (!any && step_seen && lane.on_gpu) {
    write_in(list, {frame.low.x, y}, {frame.high.x, y + ui.px(height::kLane)},
             "layers and kernels inside a whole graph are not told apart", "layers are not told apart",
             ui.u32(Role::text3), ui.px(4));
  }
  list.PopClipRect();
  y += ui.px(height::kLane + 2);
}

void TimelinePanel::draw_kernel_lane(PanelContext& context, const Frame& frame,
                                     const view::TimelineLane& lane, float& y) {
  Ui& ui = context.ui;
  const view::RunSnapshot& run = context.bench.run();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const bool thin = lane.kind != LaneKind::kernels;
  const float tall = ui.px(thin ? height::kThinLane : height::kKernelLane);
  gutter(ui, frame, thin ? y - ui.px(1) : y + ui.px(4), lane.name, thin ? Role::text3 : Role::text2);
  const float waits = has_waits(lane) ? ui.px(2 * height::kWaitRow + 1) : 0;
  if (waits > 0) gutter(ui, frame, y + tall - ui.px(3), "waiting", Role::text3);
  list.PushClipRect({frame.low.x, y - ui.px(2)}, {frame.high.x, y + tall + waits + ui.px(2)}, true);
  const FontScope font(ui.fonts(), Face::mono, thin ? text_size::kAxis : text_size::kCaption);
  const view::Selection& selection = context.bench.selection();
  const view::Hover& hover = context.bench.hover();
  struct Outline {
    ImVec2 low, high;
    Role role;
  };
  std::vector<Outline> outlines;  // over their neighbours
  for (const view::TimelineBox& box : view::kernel_boxes(index_, track_of(lane), frame.view)) {
    const bool merged = box.count > 1;
    const KernelClass kernel_class = colors_.of_operation(box.operation);
    Color fill = fill_of(ui, lane, kernel_class);
    // From afar every kernel would have a speck below it, which tells nothing.
    const bool waited = waits > 0 && (box.inside || box.wait_width >= ui.px(2));
    bool pointed = false;
    if (waited) {
      const Placed wait = wait_place(ui, {frame.low.x, y + tall}, box);
      draw_wait(ui, list, wait, fill);
      // Its end leads up to the kernel's own part.
      if (!box.inside)
        list.AddRectFilled({wait.high.x, y + tall - ui.px(1)}, {wait.high.x + ui.px(1.5F), wait.high.y},
                           to_u32(fill));
      pointed = item_hovered_ && !under_pointer_ && pointer_in(wait.low, wait.high);
      if (pointed) outlines.push_back({wait.low, wait.high, Role::hover_line});
      drawn_item(fmt::format("wait of kernel {}", box.span).c_str(), wait.low, wait.high);
      if (box.inside) {
        if (pointed) draw_box_tooltip(context, frame, lane, box);
        continue;
      }
    }
    const ImVec2 low{frame.low.x + box.x, y},
        high{low.x + std::max(ui.px(1), box.width - (box.width > ui.px(4) ? ui.px(1) : 0)), y + tall};
    pointed = pointed || (item_hovered_ && !under_pointer_ && pointer_in(low, high));
    if (merged) fill = mix(fill, ui.color(Role::panel), 0.3);
    list.AddRectFilled(low, high, to_u32(fill), merged ? 0 : ui.px(2));
    if (lane.on_gpu && is_hatched(kernel_class) && box.width >= ui.px(4))
      ui.hatch().fill(list, low, high, with_alpha(ui.color(Role::panel), 0.3), ui.metrics());
    if (kernel_class == KernelClass::graph && lane.on_gpu && !merged)
      list.AddRect(low, high, ui.u32(Role::text3), ui.px(2), 0, ui.px(1));
    const std::string name = name_of_operation(run, box.operation);
    if (box.width > ui.px(12)) {
      const ImVec2 seen_low{std::max(low.x, frame.low.x), low.y},
          seen_high{std::min(high.x, frame.high.x), high.y};
      if (merged) {
        write_in(list, seen_low, seen_high, fmt::format("×{}", view::format_count(box.count)), "",
                 ink_on(fill), ui.px(1));
      } else if (kernel_class == KernelClass::graph) {
        write_in(list, seen_low, seen_high, fmt::format("whole graph, step {}", view::format_count(box.step)),
                 "graph", ink_on(fill), ui.px(2));
      } else {
        write_in(list, seen_low, seen_high, name, short_name(name), ink_on(fill), ui.px(2));
      }
    }
    const bool in_layer = !selection.head || selection.head->layer == box.layer;
    const bool pinned = !merged && selection.operation && *selection.operation == box.operation && in_layer;
    const bool hovered = !merged && hover.operation && *hover.operation == box.operation &&
                         (!hover.layer || *hover.layer == box.layer);
    if (pinned) outlines.push_back({low, high, Role::accent});
    if (pointed || hovered) outlines.push_back({low, high, Role::hover_line});
    if (pointed) draw_box_tooltip(context, frame, lane, box);
    if (!merged) drawn_item(fmt::format("kernel {}", box.span).c_str(), low, high);
  }
  for (const Outline& one : outlines) outline(list, ui, one.low, one.high, one.role);
  list.PopClipRect();
  y += tall + waits + ui.px(thin ? 3 : 4);
}

void TimelinePanel::draw_box_tooltip(PanelContext& context, const Frame& frame,
                                     const view::TimelineLane& lane, const view::TimelineBox& box) {
  Ui& ui = context.ui;
  const bool merged = box.count > 1;
  under_pointer_ = box;
  pointed_kernel_ = lane.kind != LaneKind::profiler;
  view::Hover& next = context.bench.next_hover();
  if (box.step >= 0) next.step = box.step;
  next.operation = box.operation;
  if (!merged && box.layer >= 0) next.layer = box.layer;
  if (!merged) next.span = static_cast<std::size_t>(box.span);
  ImGui::BeginTooltip();
  if (merged) {
    const char* what = lane.kind == LaneKind::launches   ? "calls"
                       : lane.kind == LaneKind::profiler ? "records"
                       : lane.kind == LaneKind::copies   ? "copies"
                                                         : "kernels";
    const std::string name = name_of_operation(context.bench.run(), box.operation);
    label(ui, fmt::format("{} {}, the longest {}", view::format_count(box.count), what, name).c_str(),
          Role::text, Face::ui_strong);
    tooltip_line(ui, "time", view::format_duration(box.end_ns - box.start_ns));
    tooltip_line(ui, "starts", view::format_duration(box.start_ns - frame.origin));
    tooltip_line(ui, "step", box.step >= 0 ? view::format_count(box.step) : std::string(view::kUnknown));
    tooltip_note(ui, "zoom in to see each");
  } else {
    draw_span_facts(ui, context.bench.run(), facts_, index_.span(box.span),
                    index_.charged().charged(box.span), frame.origin);
    if (pointed_kernel_) tooltip_note(ui, "click pins operation and layer");
  }
  ImGui::EndTooltip();
}

// Steps are known and none of what they were spent on.
void TimelinePanel::draw_no_timings(PanelContext& context, const Frame& frame, float& y) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const std::string text =
      "No kernel timings. " + view::why_no_timings(context.bench.run(), context.bench.busy());
  gutter(ui, frame, y + ui.px(4), "kernels", Role::text3);
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  const std::string fitted = fit_text(text, frame.high.x - frame.low.x);
  list.AddText({frame.low.x, y + ui.px(4)}, ui.u32(Role::text2), fitted.c_str());
  drawn_item("no kernel timings", {frame.low.x, y}, {frame.high.x, y + ui.px(height::kKernelLane)});
  if (item_hovered_ && fitted != text && pointer_in({frame.low.x, y}, {frame.high.x, y + ui.px(24)}))
    ImGui::SetTooltip("%s", text.c_str());
  y += ui.px(height::kKernelLane + 4);
}

}  // namespace app::gui
