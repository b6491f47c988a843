#include "app/gui/panels/timeline_gpu_counters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/panels/timeline_drawing.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/view/format.hpp"
#include "app/view/timeline_lanes.hpp"

namespace app::gui {

namespace {

constexpr float kRow = 20, kRowGap = 2, kTitle = 14, kValue = 76;

// The step that ran at `ns`, or the last one that had begun; null before the first.
const view::StepRecord* step_at(const view::RunSnapshot& run, std::int64_t ns) {
  std::int32_t low = 0, high = run.step_count();
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    if (run.step(middle).start_ns <= ns) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 ? &run.step(low - 1) : nullptr;
}

// Where the axis ends: shares have a natural end, others a round number over their greatest value.
double scale_of(const view::CounterTrack& track) {
  if (track.unit == "%") return 100;
  const double unit = track.unit == "bytes" ? 0x1p30 : 1;
  const double most = std::max(1e-3, static_cast<double>(track.most) / unit);
  const double power = std::pow(10.0, std::floor(std::log10(most)));
  for (const double factor : {1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0}) {
    if (power * factor >= most * 1.02) return power * factor * unit;
  }
  return power * 10 * unit;
}

}  // namespace

float TimelineGpuCounters::height(const Ui& ui, std::size_t counters) const {
  return ui.px(kTitle) + static_cast<float>(counters) * ui.px(kRow + kRowGap);
}

void TimelineGpuCounters::go_to(PanelContext& context, std::int64_t ns) const {
  const view::StepRecord* step = step_at(context.bench.run(), ns);
  if (step == nullptr) return;
  const std::int32_t end = context.bench.sequence().processed_by(step->step);
  if (end > 0) context.bench.go_to(end - 1);
}

void TimelineGpuCounters::draw_curve(Ui& ui, const view::CounterTrack& track, const view::TimelineView& view,
                                     ImVec2 low, ImVec2 high, double most) const {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto y_of = [&](float value) {
    const double share = std::clamp(static_cast<double>(value) / most, 0.0, 1.0);
    return high.y - ui.px(1) - static_cast<float>(share) * (high.y - low.y - ui.px(2));
  };
  const ImU32 line = ui.u32(Role::text2), fill = to_u32(with_alpha(ui.color(Role::text2), 0.14));
  const view::CounterView& points = track.points;
  for (std::size_t i = 0; i < points.size();) {
    // All points of one pixel together: their range is a stroke.
    view::CounterPoint pixel = points[i];
    const float x = std::floor(view.x_of(pixel.begin_ns));
    std::size_t next = i + 1;
    for (; next < points.size() && view.x_of(points[next].begin_ns) < x + 1; ++next) {
      pixel.least = std::min(pixel.least, points[next].least);
      pixel.most = std::max(pixel.most, points[next].most);
      pixel.last = points[next].last;
    }
    const float end = next < points.size() ? view.x_of(points[next].begin_ns)
                                           : std::max(x + 1, view.x_of(pixel.end_ns) + 1);
    const float from = low.x + x, to = std::min(low.x + end, high.x), y = y_of(pixel.last);
    list.AddRectFilled({from, y}, {to, high.y}, fill);
    list.AddLine({from, y}, {to, y}, line, ui.px(1));
    float top = y_of(pixel.most), bottom = y_of(pixel.least);
    if (next < points.size()) {
      top = std::min(top, y);
      bottom = std::max(bottom, y);
      const float after = y_of(points[next].last);
      list.AddLine({to, y}, {to, after}, line, ui.px(1));
    }
    if (bottom - top > 1) list.AddLine({from, top}, {from, bottom}, line, ui.px(1));
    i = next;
  }
}

void TimelineGpuCounters::explain(PanelContext& context, const view::CounterTrack& track,
                                  std::int64_t ns) const {
  Ui& ui = context.ui;
  const view::CounterPoint* at = track.points.at(ns);
  ImGui::BeginTooltip();
  label(ui, fmt::format("{}, {}", track.name, view::device_name(context.bench.run(), track.device)).c_str(),
        Role::text, Face::ui_strong, text_size::kTable);
  tooltip_line(ui, "at", view::format_duration(ns) + " since start");
  const auto text = [&](float value) { return view::format_counter(static_cast<double>(value), track.unit); };
  tooltip_line(ui, "value", at != nullptr ? text(at->last) : std::string(view::kUnknown));
  if (at != nullptr && at->most > at->least)
    tooltip_line(ui, "range", fmt::format("{} to {}", text(at->least), text(at->most)));
  tooltip_line(ui, "in the run", fmt::format("{} to {}", text(track.least), text(track.most)));
  if (const view::StepRecord* step = step_at(context.bench.run(), ns))
    tooltip_line(ui, "step", view::format_count(step->step));
  tooltip_note(ui, "click goes to the step");
  ImGui::EndTooltip();
}

void TimelineGpuCounters::draw_one(PanelContext& context, const view::CounterTrack& track, float left,
                                   const Times& times) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  const ImVec2 size{std::max(ui.px(60), ImGui::GetContentRegionAvail().x), ui.px(kRow)};
  ImGui::InvisibleButton(fmt::format("counter {} {}", track.device, track.name).c_str(), size);
  const ImVec2 low{origin.x + left, origin.y},
      high{std::max(low.x + ui.px(20), origin.x + size.x - ui.px(kValue)), origin.y + size.y};
  const view::TimelineView view{times.run, high.x - low.x, 1};
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const bool hovered = ImGui::IsItemHovered() && mouse.x >= low.x && mouse.x < high.x;
  const std::int64_t under = view.ns_at(mouse.x - low.x);
  if (hovered) {
    next_pointed_ns_ = under;
    pointed_track_ = &track;
    if (const view::StepRecord* step = step_at(context.bench.run(), under))
      context.bench.next_hover().step = step->step;
    if (ImGui::IsItemClicked()) go_to(context, under);
  }
  const double most = scale_of(track);
  list.AddRectFilled(low, high, to_u32(mix(ui.color(Role::panel), ui.color(Role::header), 0.55)));
  list.PushClipRect(low, high, true);
  const float shade_low = std::clamp(low.x + view.x_of(times.shown.begin_ns), low.x, high.x);
  const float shade_high =
      std::clamp(low.x + view.x_of(times.shown.end_ns), shade_low + ui.px(2), high.x + ui.px(2));
  list.AddRectFilled({shade_low, low.y}, {shade_high, high.y},
                     to_u32(with_alpha(ui.color(Role::accent), 0.16)));
  draw_curve(ui, track, view, low, high, most);
  if (pointed_ns_) {
    const float x = std::round(low.x + view.x_of(*pointed_ns_));
    dashed_line(list, {x, low.y}, {x, high.y}, ui.color(Role::hover_line), ui.px(3), ui.px(1));
  }
  list.PopClipRect();
  // What the pointer reads, else what the lanes end with.
  const view::CounterPoint* at = track.points.at(pointed_ns_.value_or(times.shown.end_ns));
  const std::string value = at != nullptr ? view::format_counter(static_cast<double>(at->last), track.unit)
                                          : std::string(view::kUnknown);
  label_at(ui, list, {origin.x, origin.y + ui.px(3)}, track.name.c_str(), Role::text2, Face::ui,
           text_size::kCaption);
  label_at(ui, list, {high.x + ui.px(6), origin.y + ui.px(3)}, value.c_str(), Role::text, Face::mono,
           text_size::kCaption);
  const std::string top = view::format_counter(most, track.unit);
  const float width = label_width(ui, top.c_str(), Face::mono, text_size::kAxis);
  const ImVec2 corner{high.x - width - ui.px(3), low.y};
  list.AddRectFilled({corner.x - ui.px(2), corner.y}, {high.x, corner.y + ui.px(11)},
                     to_u32(with_alpha(ui.color(Role::panel), 0.75)));
  label_at(ui, list, {corner.x, corner.y - ui.px(1)}, top.c_str(), Role::text3, Face::mono, text_size::kAxis);
}

void TimelineGpuCounters::draw(PanelContext& context, float left, float height, const Times& times) {
  Ui& ui = context.ui;
  pointed_ns_ = next_pointed_ns_;
  next_pointed_ns_.reset();
  pointed_track_ = nullptr;
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  label_at(ui, list, {origin.x, origin.y - ui.px(2)}, "over the run", Role::text3, Face::ui,
           text_size::kCaption);
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  const bool scrolls = this->height(ui, context.bench.run().counters().size()) > height + 1;
  const float bar = scrolls ? ImGui::GetStyle().ScrollbarSize : 0;
  const float width = ImGui::GetContentRegionAvail().x - left - ui.px(kValue) - bar;
  for (const view::TimeTick& tick : view::time_ticks({times.run, width, 1}, 0, ui.px(90))) {
    const float text = ImGui::CalcTextSize(tick.text.c_str()).x;
    if (tick.x - text / 2 < 0 || tick.x + text / 2 > width) continue;
    list.AddText({std::round(origin.x + left + tick.x - text / 2), origin.y - ui.px(1)}, ui.u32(Role::text3),
                 tick.text.c_str());
  }
  ImGui::SetCursorScreenPos({origin.x, origin.y + ui.px(kTitle)});
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2(0, ui.px(kRowGap)));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  if (ImGui::BeginChild("gpu counters", {0, height - ui.px(kTitle)}, ImGuiChildFlags_None)) {
    for (const view::CounterTrack& track : context.bench.run().counters())
      draw_one(context, track, left, times);
  }
  ImGui::EndChild();
  ImGui::PopStyleVar(2);
  if (pointed_track_ != nullptr) explain(context, *pointed_track_, *next_pointed_ns_);
}

}  // namespace app::gui
