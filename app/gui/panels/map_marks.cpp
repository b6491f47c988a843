#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/panels/map_frame.hpp"
#include "app/gui/panels/token_tooltip.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/step_tokens.hpp"

namespace app::gui {

namespace {

// From the top of the cells to the end of the strip.
float bottom_of(const MapField& field) {
  return field.strip.empty() ? field.area.high.y : field.strip.high.y;
}

// The tokens of the magnifier in the main map, and the magnifier itself.
void paint_zone(const Ui& ui, ImDrawList& list, const MapFrame& frame) {
  if (frame.near.area.empty()) return;
  const MapField& main = frame.main;
  const view::TokenRange zone = frame.near.axis.tokens;
  const std::int32_t begin = std::max(zone.begin, main.axis.tokens.begin);
  const std::int32_t end = std::min(zone.end, main.axis.tokens.end);
  if (begin < end) {
    list.AddRect({main.begin_x(begin), main.area.low.y}, {main.end_x(end - 1), main.area.high.y},
                 ui.u32(Role::hover_line), 0, 0, ui.px(1));
  }
  list.AddRect(frame.near.area.low, frame.near.area.high, ui.u32(Role::strong_line), 0, 0, ui.px(1));
}

// A preview is dashed wherever it is shown.
void paint_preview_frame(const Ui& ui, ImDrawList& list, const MapFrame& frame) {
  if (frame.source.mode == MapMode::run || frame.source.preview == nullptr) return;
  for (const MapField* field : {&frame.main, &frame.near}) {
    if (field->area.empty()) continue;
    const ImVec2 low = field->area.low, high = field->area.high;
    const ImVec2 corners[]{low, {high.x, low.y}, high, {low.x, high.y}, low};
    for (int i = 0; i < 4; ++i)
      dashed_line(list, corners[i], corners[i + 1], ui.color(Role::accent), ui.px(5), ui.px(2));
  }
}

void paint_window_edge(const Ui& ui, ImDrawList& list, const MapFrame& frame) {
  const view::CacheView& cache = frame.source.shown();
  const MapField& field = frame.near.area.empty() ? frame.main : frame.near;
  const std::int32_t edge = frame.source.s - cache.window();
  if (!cache.closed_form() || edge <= field.axis.tokens.begin || !field.shows(edge)) return;
  const float x = std::round(field.begin_x(edge)) + 0.5F;
  list.AddLine({x, field.area.low.y}, {x, bottom_of(field)}, ui.u32(Role::casing), ui.px(3));
  dashed_line(list, {x, field.area.low.y}, {x, bottom_of(field)}, ui.color(Role::hover_line), ui.px(3),
              ui.px(1));
}

// Where time was scrubbed back to: what is right of it is not born yet.
void paint_moment(PanelContext& context, ImDrawList& list, const MapFrame& frame) {
  const Ui& ui = context.ui;
  const std::int32_t s = frame.source.s;
  const MapField& main = frame.main;
  if (s + 1 >= context.bench.positions() || !main.shows(s)) return;
  const float x = std::round(main.end_x(s)) + 0.5F;
  cased_line(list, {x, frame.header.high.y - ui.px(4)}, {x, bottom_of(main)}, ui.color(Role::text),
             ui.color(Role::casing), ui.px(1));
  const std::string text = fmt::format("position {}", view::format_count(s));
  const float width = label_width(ui, text.c_str(), Face::ui_strong, text_size::kCaption);
  if (frame.header.height() <= 0 || x + width + ui.px(10) > main.area.high.x) return;
  label_at(ui, list, {std::round(x + ui.px(5)), main.area.low.y + ui.px(4)}, text.c_str(), Role::text2,
           Face::ui_strong, text_size::kCaption);
}

void paint_range(const Ui& ui, ImDrawList& list, const MapField& field, view::TokenRange range) {
  const std::int32_t begin = std::max(range.begin, field.axis.tokens.begin);
  const std::int32_t end = std::min(range.end, field.axis.tokens.end);
  if (field.area.empty() || begin >= end) return;
  const float left = std::round(field.begin_x(begin)) + 0.5F, right = std::round(field.end_x(end - 1)) + 0.5F;
  list.AddRectFilled({left, field.area.low.y}, {right, bottom_of(field)},
                     to_u32(with_alpha(ui.color(Role::accent), 0.14)));
  for (const float x : {left, right}) {
    cased_line(list, {x, field.area.low.y}, {x, bottom_of(field)}, ui.color(Role::accent),
               ui.color(Role::casing), ui.px(1));
  }
}

// The tokens that were processed in the times selected in the timeline: an edge over their cells.
void paint_times(PanelContext& context, ImDrawList& list, const MapField& field, view::TimeRange times) {
  if (field.area.empty()) return;
  const Workbench& bench = context.bench;
  const view::TokenRange tokens = view::tokens_of_times(bench.run(), bench.sequence(), times);
  const std::int32_t begin = std::max(tokens.begin, field.axis.tokens.begin);
  const std::int32_t end = std::min(tokens.end, field.axis.tokens.end);
  if (begin >= end) return;
  const Ui& ui = context.ui;
  const ImVec2 low{field.begin_x(begin), field.area.low.y - ui.px(3)};
  const ImVec2 high{std::max(field.end_x(end - 1), low.x + ui.px(2)), field.area.low.y};
  list.AddRectFilled(low, high, ui.u32(Role::accent));
  drawn_item("selected times", low, high);
}

// Ticks over the cells where the text that was searched for stands.
void paint_matches(PanelContext& context, ImDrawList& list, const MapField& field) {
  if (field.area.empty()) return;
  const Ui& ui = context.ui;
  const TextMarks& marks = context.bench.marks();
  const view::TokenRange shown = field.axis.tokens;
  auto match =
      std::lower_bound(marks.matches.begin(), marks.matches.end(), shown.begin,
                       [](const view::TokenRange& found, std::int32_t token) { return found.end <= token; });
  float last = -1;
  for (; match != marks.matches.end() && match->begin < shown.end; ++match) {
    const bool current = static_cast<std::size_t>(match - marks.matches.begin()) == marks.current;
    const float x = std::round(field.begin_x(std::max(match->begin, shown.begin)));
    if (x == last && !current) continue;  // thousands of matches are at most one tick a pixel
    last = x;
    const float right =
        std::max(x + ui.px(current ? 2 : 1), field.end_x(std::min(match->end, shown.end) - 1));
    const float tall = ui.px(current ? 9 : 5);
    list.AddRectFilled({x - 1, field.area.low.y}, {right + 1, field.area.low.y + tall + 1},
                       ui.u32(Role::casing));
    list.AddRectFilled({x, field.area.low.y}, {right, field.area.low.y + tall}, ui.u32(Role::warning));
    if (current) drawn_item("current match", {x, field.area.low.y}, {right, field.area.low.y + tall});
  }
}

void paint_pinned_token(const Ui& ui, ImDrawList& list, const MapField& field, std::int32_t token) {
  if (!field.shows(token)) return;
  drawn_item("pinned token", {field.begin_x(token), field.area.low.y},
             {field.end_x(token), bottom_of(field)});
  // A token that is wide enough is framed: its state stays visible.
  const float left = field.begin_x(token), right = field.end_x(token);
  if (right - left >= ui.px(6)) {
    return paint_frame(ui, list, {left, field.area.low.y}, {right, bottom_of(field)}, Role::accent);
  }
  const float x = field.middle_x(token);
  cased_line(list, {x, field.area.low.y}, {x, bottom_of(field)}, ui.color(Role::accent),
             ui.color(Role::casing), ui.px(1));
}

void paint_hovered_token(const Ui& ui, ImDrawList& list, const MapField& field, std::int32_t token) {
  if (!field.shows(token)) return;
  drawn_item("hovered token", {field.begin_x(token), field.area.low.y},
             {field.end_x(token), bottom_of(field)});
  const float x = field.middle_x(token);
  list.AddLine({x, field.area.low.y}, {x, bottom_of(field)}, to_u32(with_alpha(ui.color(Role::casing), 0.7)),
               ui.px(3));
  dashed_line(list, {x, field.area.low.y}, {x, bottom_of(field)}, ui.color(Role::hover_line), ui.px(3),
              ui.px(1));
}

void paint_head(PanelContext& context, ImDrawList& list, const MapFrame& frame, view::Head head, Role role) {
  const std::int32_t flat = head.layer * std::max(1, context.bench.run().kv_heads()) + head.kv_head;
  const view::MapRow* row = frame.visible_row_of(flat);
  if (row == nullptr) return;
  const float top = frame.top_of(*row), bottom = top + static_cast<float>(row->height);
  for (const MapField* field : {&frame.main, &frame.near}) {
    if (field->area.empty()) continue;
    list.PushClipRect({field->area.low.x - 2, field->area.low.y - 2},
                      {field->area.high.x + 2, field->area.high.y + 2}, true);
    list.AddRect({field->area.low.x, top}, {field->area.high.x, bottom}, context.ui.u32(role), 0, 0,
                 context.ui.px(1));
    list.PopClipRect();
  }
}

// Flags: hovered at the top, pinned at the foot; at the magnifier where it shows the token.
void paint_flags(PanelContext& context, ImDrawList& list, const MapFrame& frame) {
  Ui& ui = context.ui;
  const view::SequenceView& sequence = context.bench.sequence();
  const view::Selection& selection = context.bench.selection();
  const FontScope font(ui.fonts(), Face::mono, text_size::kCaption);
  const auto field_of = [&](std::int32_t token) -> const MapField* {
    if (frame.near.shows(token)) return &frame.near;
    return frame.main.shows(token) ? &frame.main : nullptr;
  };
  const float left = frame.gutter.low.x, right = frame.header.high.x;
  if (selection.tokens && frame.footer.height() > 0) {
    const view::TokenRange range = *selection.tokens;
    const std::int32_t begin = std::max(range.begin, frame.main.axis.tokens.begin);
    const std::int32_t end = std::min(range.end, frame.main.axis.tokens.end);
    if (begin < end) {
      const std::string text =
          fmt::format("{} \u2013 {}  {} tokens", view::format_token(range.begin),
                      view::format_token(range.end - 1), view::format_count(range.size()));
      flag(list, (frame.main.begin_x(begin) + frame.main.end_x(end - 1)) / 2, frame.footer.low.y, left, right,
           text, true, ui.theme(), ui.metrics());
    }
  }
  if (selection.token && frame.footer.height() > 0) {
    const MapField* field = field_of(*selection.token);
    if (field != nullptr) {
      flag(list, field->middle_x(*selection.token), frame.footer.low.y, left, right,
           token_flag(sequence, *selection.token), true, ui.theme(), ui.metrics());
    }
  }
  const auto& hovered = context.bench.hover().token;
  if (hovered && frame.header.height() > 0) {
    const MapField* field = frame.main.shows(*hovered) ? &frame.main : field_of(*hovered);
    if (field != nullptr) {
      flag(list, field->middle_x(*hovered), frame.header.high.y - ui.px(17), left, right,
           token_flag(sequence, *hovered), false, ui.theme(), ui.metrics());
    }
  }
}

}  // namespace

void paint_box(PanelContext& context, const MapFrame& frame, view::TokenRange tokens) {
  const Ui& ui = context.ui;
  for (const MapField* field : {&frame.main, &frame.near}) {
    const std::int32_t begin = std::max(tokens.begin, field->axis.tokens.begin);
    const std::int32_t end = std::min(tokens.end, field->axis.tokens.end);
    if (field->area.empty() || begin >= end) continue;
    const ImVec2 low{field->begin_x(begin), field->area.low.y},
        high{field->end_x(end - 1), bottom_of(*field)};
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(low, high, to_u32(with_alpha(ui.color(Role::hover_line), 0.12)));
    paint_frame(ui, list, low, high, Role::hover_line);
  }
}

void paint_frame(const Ui& ui, ImDrawList& list, ImVec2 low, ImVec2 high, Role role) {
  const float thick = ui.px(1);
  list.AddRect({low.x - thick, low.y - thick}, {high.x + thick, high.y + thick}, ui.u32(Role::casing), 0, 0,
               thick);
  list.AddRect({low.x + thick, low.y + thick}, {high.x - thick, high.y - thick}, ui.u32(Role::casing), 0, 0,
               thick);
  list.AddRect(low, high, ui.u32(role), 0, 0, thick);
}

void paint_marks(PanelContext& context, const MapFrame& frame) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const view::Selection& selection = context.bench.selection();
  const view::Hover& hover = context.bench.hover();
  paint_zone(ui, list, frame);
  paint_preview_frame(ui, list, frame);
  paint_window_edge(ui, list, frame);
  paint_moment(context, list, frame);
  for (const MapField* field : {&frame.main, &frame.near}) {
    if (selection.tokens) paint_range(ui, list, *field, *selection.tokens);
    if (selection.times) paint_times(context, list, *field, *selection.times);
  }
  for (const MapField* field : {&frame.main, &frame.near}) paint_matches(context, list, *field);
  if (hover.head) paint_head(context, list, frame, *hover.head, Role::hover_line);
  if (selection.head) paint_head(context, list, frame, *selection.head, Role::accent);
  for (const MapField* field : {&frame.main, &frame.near}) {
    if (hover.token) paint_hovered_token(ui, list, *field, *hover.token);
    if (selection.token) paint_pinned_token(ui, list, *field, *selection.token);
  }
  paint_flags(context, list, frame);
}

}  // namespace app::gui
