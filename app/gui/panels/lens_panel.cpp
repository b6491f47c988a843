#include "app/gui/panels/lens_panel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "app/gui/panels/token_tooltip.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

// Numbers give way to the flags of tokens, which are centred on `flags`.
void paint_axis(const Ui& ui, ImDrawList& list, float left, float cell, std::int32_t oldest, float y,
                std::span<const float> flags) {
  const float width = cell * static_cast<float>(oldest + 1);
  std::int32_t step = 1;
  while (static_cast<float>(step) * cell < ui.px(34)) step *= 2;
  for (std::int32_t age = 0; age <= oldest; age += step) {
    const std::string text = view::format_count(age);
    const float half = label_width(ui, text.c_str(), Face::mono, text_size::kAxis) / 2;
    const float x =
        std::clamp(left + (static_cast<float>(age) + 0.5F) * cell, left + half, left + width - half);
    const auto covers = [&](float flag) { return std::abs(flag - x) < ui.px(44) + half; };
    if (std::any_of(flags.begin(), flags.end(), covers)) continue;
    label_at(ui, list, {std::round(x - half), y}, text.c_str(), Role::text3, Face::mono, text_size::kAxis);
  }
}

// Heads that let the oldest token go when position s + 1 enters.
std::int32_t heads_evicting(const view::CacheView& cache, std::int32_t s) {
  std::int32_t count = 0;
  for (std::int32_t head = 0; head < cache.heads(); ++head) count += cache.next_push(head, s).evicted ? 1 : 0;
  return count;
}

void draw_footer(Ui& ui, const view::CacheView& cache, std::int32_t s) {
  const std::int32_t leaves = heads_evicting(cache, s);
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

// What stands over the right edge: who leaves next, or, while one leaves, what becomes of its slots.
std::string edge_caption(const view::CacheView& cache, std::int32_t s, bool filling, bool moving) {
  if (filling) return "not full yet";
  if (moving) return fmt::format("{} of {} slots reused", heads_evicting(cache, s - 1), cache.heads());
  return fmt::format("age {}: leaves next", view::format_count(cache.window()));
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
  motion_.update(bench.run().run_id(), s, !bench.busy(), ImGui::GetTime());
  // The window sleeps unless it is told that there is more to draw.
  if (motion_.moving() && bench.waker()) bench.waker()();
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
  ages.behind = (1 - static_cast<float>(motion_.progress())) * ages.cell;
  ImDrawList& list = *ImGui::GetWindowDrawList();

  const std::string name = fmt::format("L{}", layer);
  const float named = label_at(ui, list, low, name.c_str(), pinned ? Role::accent : Role::text,
                               Face::ui_strong, text_size::kTable);
  const std::string right = edge_caption(cache, s, ages.oldest < cache.window(), motion_.moving());
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
  std::vector<float> flags;
  for (const auto& token : {bench.selection().token, bench.hover().token}) {
    if (token && ages.tokens.contains(*token)) flags.push_back(ages.x_of(s - *token) + ages.cell / 2);
  }
  paint_axis(ui, list, ages.left, ages.cell, ages.oldest, axis_y + ui.px(2), flags);
  for (const Part& part : parts) draw_part(context, source, ages, part);
  label_at(ui, list, {low.x, all_top}, "all", Role::text3, Face::ui, text_size::kAxis);
  label_at(ui, list, {low.x, all_top + ui.px(11)}, view::format_count(cache.heads()).c_str(), Role::text3,
           Face::mono, text_size::kAxis);
  for (const Part& part : parts) take_input(context, source, ages, part);
  if (motion_.moving()) drawn_item("push", parts[0].area.low, parts[0].area.high);
  ImGui::SetCursorScreenPos({low.x, low.y + room.y - footer + ui.px(2)});
  draw_footer(ui, cache, s);
}

void LensPanel::take_input(PanelContext& context, const FieldSource& source, const Ages& ages,
                           const Part& part) {
  if (part.area.empty()) return;
  // The names of the heads belong to their rows.
  const float names = part.large ? context.ui.px(22) : 0;
  ImGui::SetCursorScreenPos({part.area.low.x - names, part.area.low.y});
  const bool clicked = ImGui::InvisibleButton(part.id, {part.area.width() + names, part.area.height()},
                                              ImGuiButtonFlags_EnableNav);
  if (!ImGui::IsItemHovered()) return;
  Workbench& bench = context.bench;
  const ImVec2 at = ImGui::GetIO().MousePos;
  const std::int32_t flat = part.rows->head_at(static_cast<std::int32_t>(at.y - part.area.low.y));
  if (flat < 0) return;
  const std::int32_t kv_heads = std::max(1, bench.run().kv_heads());
  const view::Head head{flat / kv_heads, flat % kv_heads};
  const auto age = static_cast<std::int32_t>(std::floor((at.x - ages.left) / ages.cell));
  const std::int32_t token = source.s - age;
  const bool on_token = ages.tokens.contains(token);
  if (!on_token && at.x >= ages.left) return;
  view::Hover& hover = bench.next_hover();
  hover.head = head;
  hover.layer = head.layer;
  if (on_token) {
    hover.token = token;
    token_tooltip(context.ui, *source.run, source.s, flat, token, {token, token + 1});
  }
  if (!clicked || !ImGui::IsMouseReleased(ImGuiMouseButton_Left)) return;
  view::Selection selection = view::pin_head(bench.selection(), head);
  bench.select(on_token ? view::pin_token(std::move(selection), token) : std::move(selection));
}

}  // namespace app::gui
