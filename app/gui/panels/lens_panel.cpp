#include "app/gui/panels/lens_panel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/panels/token_tooltip.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/view/format.hpp"

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

void paint_axis(const Ui& ui, ImDrawList& list, float left, float cell, std::int32_t oldest, float y) {
  const float width = cell * static_cast<float>(oldest + 1);
  std::int32_t step = 1;
  while (static_cast<float>(step) * cell < ui.px(34)) step *= 2;
  for (std::int32_t age = 0; age <= oldest; age += step) {
    const std::string text = view::format_count(age);
    const float half = label_width(ui, text.c_str(), Face::mono, text_size::kAxis) / 2;
    const float x =
        std::clamp(left + (static_cast<float>(age) + 0.5F) * cell, left + half, left + width - half);
    label_at(ui, list, {std::round(x - half), y}, text.c_str(), Role::text3, Face::mono, text_size::kAxis);
  }
}

void draw_footer(Ui& ui, const view::CacheView& cache, std::int32_t s) {
  std::int32_t leaves = 0;
  for (std::int32_t head = 0; head < cache.heads(); ++head)
    leaves += cache.next_push(head, s).evicted ? 1 : 0;
  const std::int32_t oldest = s - cache.window();
  const view::CacheSize size = cache.size(s);
  const auto word = [&](const std::string& text, Role role = Role::text2, Face face = Face::ui) {
    label(ui, text.c_str(), role, face, text_size::kTable);
    ImGui::SameLine(0, 0);
  };
  const bool narrow = ImGui::GetContentRegionAvail().x < ui.px(230);
  word("next step: ");
  if (oldest < 0) {
    word(fmt::format("nothing leaves before position {}", view::format_count(cache.window() + 1)));
  } else {
    const std::string text = shown_text(cache.sequence(), oldest);
    if (!narrow) word(text.empty() ? view::format_token(oldest) : text, Role::text, Face::mono);
    word(narrow ? "leaves " : " leaves ");
    word(fmt::format("{} of {}", leaves, cache.heads()), leaves > 0 ? Role::doomed_text : Role::text,
         Face::mono_strong);
    word(" heads");
  }
  ImGui::NewLine();
  word("heading to ");
  word(view::format_count(size.live_slots - size.doomed_slots), Role::text, Face::mono_strong);
  word(narrow ? " live" : " live = live \u2212 doomed");
  ImGui::NewLine();
}

}  // namespace

void LensPanel::lay_out_rows(PanelContext& context, std::int32_t layer, float large, float all) {
  const view::RunSnapshot& run = context.bench.run();
  const RowKey key{run.run_id(), layer, static_cast<std::int32_t>(large), static_cast<std::int32_t>(all),
                   context.ui.metrics().scale()};
  if (key == row_key_) return;
  row_key_ = key;
  ++rows_version_;
  view::RowLayoutOptions options;
  options.layers = run.layers();
  options.kv_heads = run.kv_heads();
  options.height = key.all;
  // One row per layer where heads would not fit, even at a pixel each.
  options.row_per_layer = key.all < run.heads();
  options.max_row_height = static_cast<std::int32_t>(context.ui.px(8));
  // Without gaps where that leaves room for a taller row.
  options.separator =
      key.all >= run.heads() * 2 + run.layers() ? static_cast<std::int32_t>(context.ui.px(1)) : 0;
  all_rows_ = view::layout_rows(options);
  // Rows of whole pixels leave a rest, which the large rows take.
  const std::int32_t gap = key.large > 4 ? static_cast<std::int32_t>(context.ui.px(2)) : 0;
  const std::int32_t rest = std::max(0, key.all - all_rows_.height) / std::max(1, run.kv_heads());
  const std::int32_t height = key.large + std::min(rest, key.large);
  layer_rows_ = {};
  for (std::int32_t h = 0; h < run.kv_heads(); ++h) {
    layer_rows_.rows.push_back({layer, layer * run.kv_heads() + h, 1, layer_rows_.height, height});
    layer_rows_.height += height + gap;
  }
}

void LensPanel::draw(PanelContext& context) {
  Workbench& bench = context.bench;
  Ui& ui = context.ui;
  view::CacheView& cache = bench.cache();
  const std::int32_t s = bench.position();
  if (s < 0) return;
  if (!cache.closed_form()) {
    empty_state(ui, "No window",
                "This policy evicts by a rule of its own at every step: no token waits in a window.",
                nullptr);
    return;
  }
  const FieldSource source{&cache, nullptr, MapMode::run, s};
  const auto& pinned = bench.selection().head;
  const std::int32_t layer = pinned ? pinned->layer : 0;
  const std::int32_t kv_heads = std::max(1, bench.run().kv_heads());

  const ImVec2 low = ImGui::GetCursorScreenPos();
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float gutter = ui.px(30), marks = ui.px(14), head_line = ui.px(17), axis = ui.px(16);
  const float footer = 2 * ImGui::GetTextLineHeightWithSpacing() + ui.px(2);
  const float cells = room.y - head_line - axis - footer - ui.px(4);
  if (room.x < gutter + marks + ui.px(40) || cells < ui.px(20)) return;
  const float large =
      std::floor(std::clamp(cells * 0.4F / static_cast<float>(kv_heads) - ui.px(2), ui.px(2), ui.px(18)));
  const float layer_height = static_cast<float>(kv_heads) * (large + (large > 4 ? ui.px(2) : 0));
  lay_out_rows(context, layer, large, std::max(1.0F, cells - layer_height));

  Ages ages;
  // A window that the run cannot fill is drawn as far as there are tokens.
  ages.oldest = std::min(cache.window(), std::max(16, bench.positions()));
  ages.tokens = {std::max(0, s - ages.oldest), s + 1};
  ages.left = low.x + gutter;
  ages.cell = (room.x - gutter - marks) / static_cast<float>(ages.oldest + 1);
  ImDrawList& list = *ImGui::GetWindowDrawList();

  const std::string name = fmt::format("L{}", layer);
  const float named = label_at(ui, list, low, name.c_str(), pinned ? Role::accent : Role::text,
                               Face::ui_strong, text_size::kTable);
  const std::string right = ages.oldest < cache.window()
                                ? std::string("not full yet")
                                : fmt::format("age {}: leaves next", view::format_count(cache.window()));
  const float right_width = label_width(ui, right.c_str(), Face::ui, text_size::kCaption);
  const char* newest = pinned ? "age 0 (newest)" : "age 0, pin a head for its layer";
  const float newest_room = room.x - named - right_width - ui.px(20);
  if (newest_room > ui.px(50)) {
    const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
    list.AddText({low.x + named + ui.px(6), low.y + ui.px(1)}, ui.u32(Role::text3),
                 fit_text(newest, newest_room).c_str());
  }
  label_at(ui, list, {low.x + room.x - right_width, low.y + ui.px(1)}, right.c_str(), Role::text3, Face::ui,
           text_size::kCaption);

  const float top = low.y + head_line;
  const float axis_y = top + static_cast<float>(layer_rows_.height) + ui.px(1);
  const float all_top = axis_y + axis;
  const float right_x = low.x + room.x - marks;
  const Part parts[]{{"##layer",
                      {{ages.left, top}, {right_x, axis_y - ui.px(1)}},
                      &layer_rows_,
                      &layer_cells_,
                      rows_version_,
                      true},
                     {"##all",
                      {{ages.left, all_top}, {right_x, all_top + static_cast<float>(all_rows_.height)}},
                      &all_rows_,
                      &all_cells_,
                      rows_version_,
                      false}};
  paint_axis(ui, list, ages.left, ages.cell, ages.oldest, axis_y + ui.px(2));
  for (const Part& part : parts) draw_part(context, source, ages, part);
  label_at(ui, list, {low.x, all_top}, "all", Role::text3, Face::ui, text_size::kAxis);
  label_at(ui, list, {low.x, all_top + ui.px(11)}, view::format_count(cache.heads()).c_str(), Role::text3,
           Face::mono, text_size::kAxis);
  for (const Part& part : parts) take_input(context, source, ages, part);
  ImGui::SetCursorScreenPos({low.x, low.y + room.y - footer + ui.px(2)});
  draw_footer(ui, cache, s);
}

void LensPanel::draw_part(PanelContext& context, const FieldSource& source, const Ages& ages,
                          const Part& part) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  view::CacheView& cache = *source.run;
  const view::Selection& selection = context.bench.selection();
  const view::Hover& hover = context.bench.hover();
  const std::int32_t kv_heads = std::max(1, context.bench.run().kv_heads());
  const float end = ages.x_of(ages.tokens.size());
  const Area cells{part.area.low, {end, part.area.high.y}};
  // A texel per token, or per pixel where tokens are narrower.
  const std::int32_t width =
      std::min(ages.tokens.size(), std::max(1, static_cast<std::int32_t>(cells.width())));
  const view::TokenAxis axis{ages.tokens, width};
  list.AddRectFilled(part.area.low, part.area.high, ui.u32(Role::app));
  part.cells->update(source, part.rows->rows, part.version, axis, ui.theme());
  part.cells->draw(list, part.rows->rows, cells.low, cells.high, 0, true);
  hatch_doomed(ui, list, cache.marks(source.s), part.rows->rows, axis, source.s, cells.low, cells.high, 0,
               true);
  if (ages.cell >= ui.px(4) && part.large) {
    for (std::int32_t age = 1; age < ages.tokens.size(); ++age) {
      const float x = std::round(ages.x_of(age)) - 0.5F;
      list.AddLine({x, cells.low.y}, {x, cells.high.y}, ui.u32(Role::panel));
    }
  }
  // What is not decided has no colour yet.
  const std::int32_t undecided = std::min(cache.lag(), ages.tokens.size());
  for (const MapRow& row : part.rows->rows) {
    const float y0 = cells.low.y + static_cast<float>(row.y), y1 = y0 + static_cast<float>(row.height);
    for (std::int32_t age = 0; part.large && age < undecided && ages.cell >= ui.px(2); ++age) {
      const ImVec2 a{ages.x_of(age), y0}, b{ages.x_of(age + 1) - 1, y1};
      list.AddRectFilled(a, b, ui.u32(Role::app));
      list.AddRect(a, b, ui.u32(Role::window), 0, 0, ui.px(1));
    }
    const view::Head head{row.layer, row.first_head % kv_heads};
    const bool pinned = selection.head == head, hovered = hover.head == head;
    if (part.large) {
      paint_fate(ui, list, {part.area.high.x + ui.px(8), (y0 + y1) / 2},
                 cache.next_push(row.first_head, source.s));
      if (row.height >= static_cast<std::int32_t>(ui.px(8))) {
        label_at(ui, list, {part.area.low.x - ui.px(20), std::round((y0 + y1) / 2 - ui.px(6.5F))},
                 fmt::format("h{}", head.kv_head).c_str(),
                 pinned    ? Role::accent
                 : hovered ? Role::text
                           : Role::text3,
                 pinned ? Face::mono_strong : Face::mono, text_size::kAxis);
      }
    } else if (pinned || hovered) {
      const ImU32 color = ui.u32(pinned ? Role::accent : Role::hover_line);
      list.AddRectFilled({part.area.low.x - ui.px(5), y0},
                         {part.area.low.x - ui.px(1), std::max(y1, y0 + ui.px(2))}, color);
      list.AddRectFilled({part.area.high.x + ui.px(1), y0},
                         {part.area.high.x + ui.px(5), std::max(y1, y0 + ui.px(2))}, color);
    }
    if ((pinned || hovered) && y1 - y0 >= ui.px(4))
      list.AddRect({part.area.low.x, y0}, {part.area.high.x, y1},
                   ui.u32(pinned ? Role::accent : Role::hover_line), 0, 0, ui.px(1));
  }
  const auto line = [&](std::int32_t token, bool pinned) {
    if (!ages.tokens.contains(token)) return;
    const float x = std::floor(ages.x_of(source.s - token) + ages.cell / 2) + 0.5F;
    const ImVec2 from{x, cells.low.y}, to{x, cells.high.y};
    if (pinned && ages.cell >= ui.px(6)) {
      const float left = std::round(ages.x_of(source.s - token)) - 1;
      return paint_frame(ui, list, {left, from.y}, {left + ages.cell + 1, to.y}, Role::accent);
    }
    if (pinned) return cased_line(list, from, to, ui.color(Role::accent), ui.color(Role::casing), ui.px(1));
    dashed_line(list, from, to, ui.color(Role::hover_line), ui.px(3), ui.px(1));
  };
  if (hover.token) line(*hover.token, false);
  if (selection.token) line(*selection.token, true);
  if (!part.large) return;
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  for (const bool pinned : {false, true}) {
    const auto& token = pinned ? selection.token : hover.token;
    if (!token || !ages.tokens.contains(*token)) continue;
    flag(list, ages.x_of(source.s - *token) + ages.cell / 2, part.area.high.y + ui.px(2),
         part.area.low.x - ui.px(20), part.area.high.x, token_flag(cache.sequence(), *token), pinned,
         ui.theme(), ui.metrics());
  }
}

void LensPanel::take_input(PanelContext& context, const FieldSource& source, const Ages& ages,
                           const Part& part) {
  if (part.area.empty()) return;
  ImGui::SetCursorScreenPos(part.area.low);
  const bool clicked =
      ImGui::InvisibleButton(part.id, {part.area.width(), part.area.height()}, ImGuiButtonFlags_EnableNav);
  if (!ImGui::IsItemHovered()) return;
  Workbench& bench = context.bench;
  const ImVec2 at = ImGui::GetIO().MousePos;
  const auto age = static_cast<std::int32_t>(std::floor((at.x - ages.left) / ages.cell));
  const std::int32_t token = source.s - age;
  const std::int32_t head = part.rows->head_at(static_cast<std::int32_t>(at.y - part.area.low.y));
  if (head < 0 || !ages.tokens.contains(token)) return;
  const std::int32_t kv_heads = std::max(1, bench.run().kv_heads());
  view::Hover& hover = bench.next_hover();
  hover.token = token;
  hover.head = view::Head{head / kv_heads, head % kv_heads};
  hover.layer = hover.head->layer;
  token_tooltip(context.ui, *source.run, source.s, head, token, {token, token + 1});
  if (clicked) bench.select(view::pin_head(view::pin_token(bench.selection(), token), *hover.head));
}

}  // namespace app::gui
