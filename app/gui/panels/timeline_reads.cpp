// The KV slots that attention read, under the lanes of the kernel timeline.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/panels/timeline_drawing.hpp"
#include "app/gui/panels/timeline_panel.hpp"
#include "app/view/format.hpp"

namespace app::gui {

// By layer where few steps are in view and their layers are told apart, else by step.
void TimelinePanel::collect_reads(PanelContext& context, const Frame& frame, std::vector<ReadsBar>& bars,
                                  std::int64_t& highest) {
  const view::RunSnapshot& run = context.bench.run();
  const auto steps = view::step_boxes(run, frame.view);
  std::int32_t shown = 0;
  for (const view::TimelineBox& box : steps) shown += box.count;
  const auto& pinned = context.bench.selection().head;
  for (const view::TimelineLane& lane : lanes_) {
    if (shown > 4 || !lane.has_layers) continue;
    for (const view::TimelineBox& box : view::layer_boxes(index_, track_of(lane), frame.view)) {
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
  if (!bars.empty()) return;
  highest = 0;
  for (const view::TimelineBox& box : steps) {
    std::int64_t most = 0;
    const std::int32_t first = run.step_index(box.step);
    for (std::int32_t i = std::max(0, first); i < std::min(run.step_count(), first + std::min(box.count, 64));
         ++i)
      most = std::max(most, run.step(i).kv_reads);
    highest = std::max(highest, most);
    bars.push_back({box.x, box.x + box.width, most, false, -1, box.step});
  }
}

void TimelinePanel::draw_reads(PanelContext& context, const Frame& frame, float y, float height) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const float top = y + ui.px(10), bottom = y + height;
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  std::vector<ReadsBar> bars;
  std::int64_t highest = 0;
  collect_reads(context, frame, bars, highest);
  const bool by_layer = !bars.empty() && bars.front().layer >= 0;
  gutter(ui, frame, y + ui.px(2), "KV slots", Role::text2);
  gutter(ui, frame, y + ui.px(15), by_layer ? "per layer" : "per step", Role::text3);
  if (highest <= 0) return;
  list.PushClipRect({frame.low.x, y}, {frame.high.x, frame.high.y}, true);
  const float scale = (bottom - top) / static_cast<float>(highest);
  for (const ReadsBar& bar : bars) {
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

}  // namespace app::gui
