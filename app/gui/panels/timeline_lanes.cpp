// The lanes of the kernel timeline: painting only, from boxes that view/timeline.hpp computes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/panels/timeline_panel.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

bool pointer_in(ImVec2 low, ImVec2 high) {
  const ImVec2 at = ImGui::GetIO().MousePos;
  return at.x >= low.x && at.x < high.x && at.y >= low.y && at.y < high.y;
}

// Written in the middle of a box if it fits, in full or shortened by `shorter`.
void write_in(ImDrawList& list, ImVec2 low, ImVec2 high, const std::string& text, const std::string& shorter,
              ImU32 ink, float padding) {
  const float room = high.x - low.x - 2 * padding;
  for (const std::string* candidate : {&text, &shorter}) {
    const ImVec2 size = ImGui::CalcTextSize(candidate->c_str());
    if (candidate->empty() || size.x > room) continue;
    list.AddText({std::round((low.x + high.x - size.x) / 2), std::round((low.y + high.y - size.y) / 2)}, ink,
                 candidate->c_str());
    return;
  }
}

std::string name_of_operation(const view::RunSnapshot& run, std::int16_t operation) {
  const auto& names = run.run().operations;
  if (operation >= 0 && static_cast<std::size_t>(operation) < names.size())
    return names[static_cast<std::size_t>(operation)];
  return fmt::format("operation {}", operation);
}

// "mlp_up" -> "up", "attention" -> "attn".
std::string short_name(const std::string& name) {
  if (name == "attention") return "attn";
  const std::size_t cut = name.rfind('_');
  return cut == std::string::npos ? name.substr(0, 4) : name.substr(cut + 1);
}

std::string phase_text(engine::Phase phase) {
  return phase == engine::Phase::prefill ? "prefill" : "decode";
}

void tooltip_line(const Ui& ui, const char* name, const std::string& value) {
  label(ui, name, Role::text2, Face::ui, text_size::kTable);
  ImGui::SameLine(ui.px(76));
  label(ui, value.c_str(), Role::text, Face::mono, text_size::kTable);
}

void outline(ImDrawList& list, const Ui& ui, ImVec2 low, ImVec2 high, Role role) {
  const float casing = ui.px(1);
  list.AddRect({low.x - casing, low.y - casing}, {high.x + casing, high.y + casing}, ui.u32(Role::casing),
               ui.px(2), 0, casing);
  list.AddRect(low, high, ui.u32(role), ui.px(2), 0, ui.px(1.5F));
}

}  // namespace

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
    for (const view::TimelineTrack& track : index_.tracks()) {
      for (const view::TimelineBox& box : view::kernel_boxes(index_, track, view)) {
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
               fmt::format("step {}, {}, {}, {} token{}", number, phase_text(step.phase), time,
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
        tooltip_line(ui, "phase", phase_text(run.step(index).phase));
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

void TimelinePanel::draw_layer_lane(PanelContext& context, const Frame& frame,
                                    const view::TimelineTrack& track, float& y) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  gutter(ui, frame, y, "layer");
  list.PushClipRect({frame.low.x, y - ui.px(1)}, {frame.high.x, y + ui.px(height::kLane + 1)}, true);
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const auto& pinned = context.bench.selection().head;
  const view::Hover& hover = context.bench.hover();
  const std::int32_t hovered_layer = hover.layer ? *hover.layer : hover.head ? hover.head->layer : -1;
  for (const view::TimelineBox& box : view::layer_boxes(track, frame.view)) {
    const bool merged = box.count > 1;
    if (box.layer < 0 && !merged) continue;  // outside the layers: the kernel lane says what it is
    const ImVec2 low{frame.low.x + box.x, y},
        high{low.x + std::max(ui.px(1), box.width - ui.px(1)), y + ui.px(height::kLane)};
    const bool is_pinned = pinned && !merged && pinned->layer == box.layer;
    const bool pointed = item_hovered_ && pointer_in(low, high);
    list.AddRectFilled(low, high, ui.u32(is_pinned ? Role::accent_dim : Role::lane_layer), ui.px(2));
    if (is_pinned) list.AddRect(low, high, ui.u32(Role::accent), ui.px(2), 0, ui.px(1));
    if (pointed || (!merged && hovered_layer == box.layer))
      list.AddRect(low, high, ui.u32(Role::hover_line), ui.px(2), 0, ui.px(1));
    const std::string time = view::format_duration(box.end_ns - box.start_ns);
    write_in(list, {std::max(low.x, frame.low.x), low.y}, {std::min(high.x, frame.high.x), high.y},
             merged ? fmt::format("{} layers", box.count) : fmt::format("L{}  {}", box.layer, time),
             merged ? std::to_string(box.count) : fmt::format("L{}", box.layer),
             ui.u32(is_pinned ? Role::accent : Role::text2), ui.px(3));
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
  list.PopClipRect();
  y += ui.px(height::kLane + 2);
}

void TimelinePanel::draw_kernel_lane(PanelContext& context, const Frame& frame,
                                     const view::TimelineTrack& track, float& y) {
  Ui& ui = context.ui;
  const view::RunSnapshot& run = context.bench.run();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  gutter(ui, frame, y + ui.px(4), track.device < 0 ? "CPU" : fmt::format("stream {}", track.stream));
  list.PushClipRect({frame.low.x, y - ui.px(2)}, {frame.high.x, y + ui.px(height::kKernelLane + 2)}, true);
  const FontScope font(ui.fonts(), Face::mono, text_size::kCaption);
  const view::Selection& selection = context.bench.selection();
  const view::Hover& hover = context.bench.hover();
  struct Outline {
    ImVec2 low, high;
    Role role;
  };
  std::vector<Outline> outlines;  // over their neighbours
  for (const view::TimelineBox& box : view::kernel_boxes(index_, track, frame.view)) {
    const bool merged = box.count > 1;
    const ImVec2 low{frame.low.x + box.x, y},
        high{low.x + std::max(ui.px(1), box.width - (box.width > ui.px(4) ? ui.px(1) : 0)),
             y + ui.px(height::kKernelLane)};
    const view::KernelClass kernel_class = colors_.of_operation(box.operation);
    Color fill = ui.color(role_of(kernel_class));
    if (merged) fill = mix(fill, ui.color(Role::panel), 0.3);
    list.AddRectFilled(low, high, to_u32(fill), merged ? 0 : ui.px(2));
    const std::string name = name_of_operation(run, box.operation);
    if (box.width > ui.px(12)) {
      const ImVec2 seen_low{std::max(low.x, frame.low.x), low.y},
          seen_high{std::min(high.x, frame.high.x), high.y};
      if (merged) {
        write_in(list, seen_low, seen_high, fmt::format("×{}", view::format_count(box.count)), "",
                 ink_on(fill), ui.px(1));
      } else {
        write_in(list, seen_low, seen_high, name, short_name(name), ink_on(fill), ui.px(2));
      }
    }
    const bool in_layer = !selection.head || selection.head->layer == box.layer;
    const bool pinned = !merged && selection.operation && *selection.operation == box.operation && in_layer;
    const bool pointed = item_hovered_ && pointer_in(low, high);
    const bool hovered = !merged && hover.operation && *hover.operation == box.operation &&
                         (!hover.layer || *hover.layer == box.layer);
    if (pinned) outlines.push_back({low, high, Role::accent});
    if (pointed || hovered) outlines.push_back({low, high, Role::hover_line});
    if (pointed) {
      under_pointer_ = box;
      pointed_kernel_ = true;
      view::Hover& next = context.bench.next_hover();
      next.step = box.step;
      next.operation = box.operation;
      if (!merged && box.layer >= 0) next.layer = box.layer;
      if (!merged) next.span = static_cast<std::size_t>(box.span);
      ImGui::BeginTooltip();
      label(ui,
            merged ? fmt::format("{} kernels, the longest {}", view::format_count(box.count), name).c_str()
                   : name.c_str(),
            Role::text, Face::ui_strong);
      tooltip_line(ui, "time", view::format_duration(box.end_ns - box.start_ns));
      tooltip_line(ui, "starts", view::format_duration(box.start_ns - frame.origin));
      const std::string* const kernel = run.kernel_name(box.kernel);
      if (kernel != nullptr && !merged) tooltip_line(ui, "kernel", *kernel);
      if (!merged && box.layer >= 0) tooltip_line(ui, "layer", std::to_string(box.layer));
      tooltip_line(ui, "step", view::format_count(box.step));
      label(ui, merged ? "zoom in to see each" : "click pins operation and layer", Role::text3, Face::ui,
            text_size::kCaption);
      ImGui::EndTooltip();
    }
    if (!merged) drawn_item(fmt::format("kernel {}", box.span).c_str(), low, high);
  }
  for (const Outline& one : outlines) outline(list, ui, one.low, one.high, one.role);
  list.PopClipRect();
  y += ui.px(height::kKernelLane + 4);
}

void TimelinePanel::draw_reads(PanelContext& context, const Frame& frame, float y, float height) {
  Ui& ui = context.ui;
  const view::RunSnapshot& run = context.bench.run();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const float top = y + ui.px(10), bottom = y + height;
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  struct Bar {
    float low, high;
    std::int64_t value;
    bool pinned;
    std::int16_t layer;
    engine::Step step;
  };
  std::vector<Bar> bars;
  std::int64_t highest = 0;
  const auto steps = view::step_boxes(run, frame.view);
  std::int32_t shown = 0;
  for (const view::TimelineBox& box : steps) shown += box.count;
  const bool by_layer = shown <= 4 && !index_.tracks().empty();
  const auto& pinned = context.bench.selection().head;
  if (by_layer) {
    for (const view::TimelineTrack& track : index_.tracks()) {
      for (const view::TimelineBox& box : view::layer_boxes(track, frame.view)) {
        if (box.layer < 0) continue;
        const auto& reads = reads_of(context, box.step);
        highest = std::max(highest, reads.dense);
        // The mean of the layers that the box stands for.
        const std::size_t first = static_cast<std::size_t>(box.layer);
        const std::size_t end = std::min(reads.layers.size(), first + static_cast<std::size_t>(box.count));
        if (first >= end) continue;
        std::int64_t sum = 0;
        for (std::size_t layer = first; layer < end; ++layer) sum += reads.layers[layer];
        bars.push_back({box.x, box.x + box.width, sum / static_cast<std::int64_t>(end - first),
                        box.count == 1 && pinned && pinned->layer == box.layer, box.layer, box.step});
      }
    }
  } else {
    for (const view::TimelineBox& box : steps) {
      std::int64_t most = 0;
      const std::int32_t first = run.step_index(box.step);
      for (std::int32_t i = std::max(0, first);
           i < std::min(run.step_count(), first + std::min(box.count, 64)); ++i)
        most = std::max(most, run.step(i).kv_reads);
      highest = std::max(highest, most);
      bars.push_back({box.x, box.x + box.width, most, false, -1, box.step});
    }
  }
  gutter(ui, frame, y + ui.px(2), "KV slots", Role::text2);
  gutter(ui, frame, y + ui.px(15), by_layer ? "per layer" : "per step", Role::text3);
  if (highest <= 0) return;
  list.PushClipRect({frame.low.x, y}, {frame.high.x, frame.high.y}, true);
  const float scale = (bottom - top) / static_cast<float>(highest);
  for (const Bar& bar : bars) {
    const ImVec2 low{frame.low.x + bar.low,
                     bottom - std::max(ui.px(1), static_cast<float>(bar.value) * scale)};
    const ImVec2 high{frame.low.x + std::max(bar.low + 1, bar.high - ui.px(1)), bottom};
    const bool pointed = item_hovered_ && pointer_in({low.x, top}, high);
    const Color fill =
        bar.pinned || pointed ? ui.color(Role::kept) : mix(ui.color(Role::panel), ui.color(Role::kept), 0.45);
    list.AddRectFilled(low, high, to_u32(fill));
    list.AddLine(low, {high.x, low.y}, ui.u32(Role::kept), ui.px(1));
    const std::string text = view::format_count(bar.value);
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    const float seen_low = std::max(low.x, frame.low.x), seen_high = std::min(high.x, frame.high.x);
    if (size.x + ui.px(6) < seen_high - seen_low) {
      const bool inside = bottom - low.y > size.y + ui.px(2);
      const bool clear = inside || low.y - size.y >= top;  // of the dense line
      if (clear)
        list.AddText({std::round((seen_low + seen_high - size.x) / 2),
                      inside ? bottom - size.y - ui.px(1) : low.y - size.y},
                     inside ? ink_on(fill) : ui.u32(Role::text2), text.c_str());
    }
    if (pointed) {
      if (bar.layer >= 0) context.bench.next_hover().layer = bar.layer;
      context.bench.next_hover().step = bar.step;
      ImGui::SetTooltip("%s slots read%s", text.c_str(),
                        bar.layer >= 0 ? fmt::format(" in layer {}", bar.layer).c_str() : "");
    }
  }
  if (by_layer) {
    dashed_line(list, {frame.low.x, top}, {frame.high.x, top}, ui.color(Role::text3), ui.px(3), ui.px(1));
    const std::string text = "dense " + view::format_count(highest);
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    list.AddRectFilled({frame.high.x - size.x - ui.px(6), top - size.y / 2}, {frame.high.x, top + size.y / 2},
                       ui.u32(Role::panel));
    list.AddText({frame.high.x - size.x - ui.px(3), std::round(top - size.y / 2)}, ui.u32(Role::text2),
                 text.c_str());
  }
  list.PopClipRect();
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
