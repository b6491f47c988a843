// What the window lens draws of one field of cells: the cells, what is marked in them, and a token on its way
// out.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/panels/lens_panel.hpp"
#include "app/gui/panels/token_tooltip.hpp"
#include "app/gui/widgets/drawn_item.hpp"

namespace app::gui {

namespace {

using view::MapRow;

// What the next token does to a head: the oldest token stays (a wedge) or goes (a cross).
void paint_fate(const Ui& ui, ImDrawList& list, ImVec2 centre, const view::NextPush& push) {
  if (push.position < 0) return;
  const float r = ui.px(3);
  if (push.evicted) {
    const ImU32 color = ui.u32(Role::doomed_text);
    list.AddLine({centre.x - r, centre.y - r}, {centre.x + r, centre.y + r}, color, ui.px(1.5F));
    list.AddLine({centre.x - r, centre.y + r}, {centre.x + r, centre.y - r}, color, ui.px(1.5F));
    return;
  }
  list.AddTriangleFilled({centre.x - r, centre.y - r}, {centre.x + r, centre.y}, {centre.x - r, centre.y + r},
                         ui.u32(Role::kept));
}

struct Line {
  float top = 0, bottom = 0;
  float height() const { return bottom - top; }
};

Line line_of(const MapRow& row, float low) {
  const float top = low + static_cast<float>(row.y);
  return {top, top + static_cast<float>(row.height)};
}

}  // namespace

void LensPanel::draw_part(PanelContext& context, const FieldSource& source, const Ages& ages,
                          const Part& part) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(part.area.low, part.area.high, ui.u32(Role::app));
  list.PushClipRect(part.area.low, part.area.high, true);
  paint_cells(context, source, ages, part);
  list.PopClipRect();
  if (part.large && motion_.moving()) paint_push(context, source, ages, part);
  paint_row_marks(context, source, ages, part);
  paint_token_marks(context, source, ages, part);
}

void LensPanel::paint_cells(PanelContext& context, const FieldSource& source, const Ages& ages,
                            const Part& part) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const Area cells{{ages.x_of(0), part.area.low.y}, {ages.x_of(ages.tokens.size()), part.area.high.y}};
  // A texel per token, or per pixel where tokens are narrower.
  const std::int32_t width =
      std::min(ages.tokens.size(), std::max(1, static_cast<std::int32_t>(cells.width())));
  const view::TokenAxis axis{ages.tokens, width};
  part.cells->update(source, part.rows->rows, part.version, axis, ui.theme());
  part.cells->draw(list, part.rows->rows, cells.low, cells.high, 0, true);
  hatch_doomed(ui, list, source.run->marks(source.s), part.rows->rows, axis, source.s, cells.low, cells.high,
               0, true);
  if (!part.large) return;
  if (ages.cell >= ui.px(4)) {
    for (std::int32_t age = 1; age < ages.tokens.size(); ++age) {
      const float x = std::round(ages.x_of(age)) - 0.5F;
      list.AddLine({x, cells.low.y}, {x, cells.high.y}, ui.u32(Role::panel));
    }
  }
  // What is not decided has no colour yet.
  const std::int32_t undecided = ages.cell >= ui.px(2) ? std::min(source.run->lag(), ages.tokens.size()) : 0;
  for (const MapRow& row : part.rows->rows) {
    const Line line = line_of(row, part.area.low.y);
    for (std::int32_t age = 0; age < undecided; ++age) {
      const ImVec2 a{ages.x_of(age), line.top}, b{ages.x_of(age + 1) - 1, line.bottom};
      list.AddRectFilled(a, b, ui.u32(Role::app));
      list.AddRect(a, b, ui.u32(Role::window), 0, 0, ui.px(1));
    }
  }
}

// The token that has just left: one that stays turns blue on its way, one that goes fades, and its slot
// travels back to where the new token comes in.
void LensPanel::paint_push(PanelContext& context, const FieldSource& source, const Ages& ages,
                           const Part& part) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto progress = static_cast<float>(motion_.progress());
  const float x = ages.x_of(ages.oldest + 1), width = std::max(ui.px(2), ages.cell);
  for (const MapRow& row : part.rows->rows) {
    const view::NextPush push = source.run->next_push(row.first_head, source.s - 1);
    if (push.position < 0) continue;
    const Line line = line_of(row, part.area.low.y);
    const Color color =
        push.evicted ? with_alpha(ui.color(Role::doomed), 1 - static_cast<double>(progress))
                     : mix(ui.color(Role::window), ui.color(Role::kept), static_cast<double>(progress));
    list.AddRectFilled({x, line.top}, {x + width, line.bottom}, to_u32(color));
    if (!push.evicted) continue;
    const float slot = x + (ages.left - x) * progress;
    list.AddRect({slot, line.top}, {slot + width, line.bottom}, ui.u32(Role::casing), 0, 0, ui.px(3));
    list.AddRect({slot, line.top}, {slot + width, line.bottom}, ui.u32(Role::hover_line), 0, 0, ui.px(1));
  }
}

// The pinned and the hovered head, the hovered layer, the heads that statistics are limited to; and of the
// large rows their names and what the next token does to them.
void LensPanel::paint_row_marks(PanelContext& context, const FieldSource& source, const Ages&,
                                const Part& part) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const view::Selection& selection = context.bench.selection();
  const view::Hover& hover = context.bench.hover();
  const std::int32_t kv_heads = std::max(1, context.bench.run().kv_heads());
  for (const MapRow& row : part.rows->rows) {
    const Line line = line_of(row, part.area.low.y);
    const float bottom = std::max(line.bottom, line.top + ui.px(2));
    const view::Head head{row.layer, row.first_head % kv_heads};
    const auto is = [&](const std::optional<view::Head>& other) {
      return other && (row.head_count == 1 ? *other == head : other->layer == row.layer);
    };
    const bool pinned = is(selection.head), hovered = is(hover.head);
    if (selection.heads.contains(head) || (row.head_count > 1 && selection.heads.contains_layer(row.layer)))
      list.AddRectFilled({part.area.low.x - ui.px(2), line.top}, {part.area.low.x, bottom},
                         ui.u32(Role::accent));
    if (part.large) {
      if (!motion_.moving()) {
        paint_fate(ui, list, {part.area.high.x + ui.px(8), (line.top + line.bottom) / 2},
                   source.run->next_push(row.first_head, source.s));
      }
      if (row.height >= static_cast<std::int32_t>(ui.px(8))) {
        const Role role = pinned ? Role::accent : hovered ? Role::text : Role::text3;
        label_at(ui, list,
                 {part.area.low.x - ui.px(20), std::round((line.top + line.bottom) / 2 - ui.px(6.5F))},
                 fmt::format("h{}", head.kv_head).c_str(), role, pinned ? Face::mono_strong : Face::mono,
                 text_size::kAxis);
      }
    } else if (pinned || hovered || hover.layer == row.layer) {
      const ImU32 color = ui.u32(pinned ? Role::accent : Role::hover_line);
      const float long_side = ui.px(pinned || hovered ? 5 : 3);
      list.AddRectFilled({part.area.low.x - long_side, line.top}, {part.area.low.x - ui.px(1), bottom},
                         color);
      list.AddRectFilled({part.area.high.x + ui.px(1), line.top}, {part.area.high.x + long_side, bottom},
                         color);
    }
    if ((pinned || hovered) && line.height() >= ui.px(4)) {
      list.AddRect({part.area.low.x, line.top}, {part.area.high.x, line.bottom},
                   ui.u32(pinned ? Role::accent : Role::hover_line), 0, 0, ui.px(1));
    }
  }
}

void LensPanel::paint_token_marks(PanelContext& context, const FieldSource& source, const Ages& ages,
                                  const Part& part) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const view::Selection& selection = context.bench.selection();
  const view::Hover& hover = context.bench.hover();
  list.PushClipRect({part.area.low.x - 2, part.area.low.y - 2}, {part.area.high.x + 2, part.area.high.y + 2},
                    true);
  if (const auto& range = selection.tokens) {
    const std::int32_t begin = std::max(range->begin, ages.tokens.begin);
    const std::int32_t end = std::min(range->end, ages.tokens.end);
    if (begin < end) {
      const float left = std::round(ages.x_of(source.s - end + 1)), right = ages.x_of(source.s - begin + 1);
      list.AddRectFilled({left, part.area.low.y}, {right, part.area.high.y},
                         to_u32(with_alpha(ui.color(Role::accent), 0.2)));
      list.AddRectFilled({left, part.area.low.y - ui.px(1)}, {right, part.area.low.y + ui.px(1)},
                         ui.u32(Role::accent));
    }
  }
  const auto line = [&](std::int32_t token, bool pinned) {
    if (!ages.tokens.contains(token)) return;
    const float x = std::floor(ages.x_of(source.s - token) + ages.cell / 2) + 0.5F;
    const ImVec2 from{x, part.area.low.y}, to{x, part.area.high.y};
    if (part.large) drawn_item(pinned ? "pinned token" : "hovered token", from, {to.x + 1, to.y});
    if (pinned && ages.cell >= ui.px(6)) {
      const float left = std::round(ages.x_of(source.s - token)) - 1;
      return paint_frame(ui, list, {left, from.y}, {left + ages.cell + 1, to.y}, Role::accent);
    }
    if (pinned) return cased_line(list, from, to, ui.color(Role::accent), ui.color(Role::casing), ui.px(1));
    list.AddLine(from, to, to_u32(with_alpha(ui.color(Role::casing), 0.7)), ui.px(3));
    dashed_line(list, from, to, ui.color(Role::hover_line), ui.px(3), ui.px(1));
  };
  if (hover.token) line(*hover.token, false);
  if (selection.token) line(*selection.token, true);
  list.PopClipRect();
  if (!part.large) return;
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  for (const bool pinned : {false, true}) {
    const auto& token = pinned ? selection.token : hover.token;
    if (!token || !ages.tokens.contains(*token)) continue;
    flag(list, ages.x_of(source.s - *token) + ages.cell / 2, part.area.high.y + ui.px(2),
         part.area.low.x - ui.px(20), part.area.high.x, token_flag(context.bench.sequence(), *token), pinned,
         ui.theme(), ui.metrics());
  }
}

}  // namespace app::gui
