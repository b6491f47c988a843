#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/panels/occupancy_panel.hpp"
#include "app/gui/panels/token_tooltip.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/slot_order.hpp"

namespace app::gui {

namespace {

// A kept token's shade: dark is old.
Color age_color(const Theme& theme, double share) {
  return mix(mix(theme[Role::evicted], theme[Role::kept], 0.3), theme[Role::kept], share);
}

// Cells of slots, in slot order from the left, whole pages per line where they fit.
struct PageGrid {
  std::int32_t columns = 1, rows = 1, slots_per_cell = 1;
  float cell = 1;
};

PageGrid divide(std::int32_t slots, std::int32_t page, float width, float height, float pixel) {
  PageGrid grid;
  for (float cell = 10 * pixel;; cell -= pixel) {
    if (cell < pixel) {
      cell = pixel;
      grid.slots_per_cell *= 2;
    }
    grid.cell = cell;
    const auto fit = std::max(1, static_cast<std::int32_t>(width / cell));
    grid.columns = page > 0 && fit >= page ? fit / page * page : fit;
    const std::int32_t cells = (slots + grid.slots_per_cell - 1) / grid.slots_per_cell;
    grid.rows = std::max(1, (cells + grid.columns - 1) / grid.columns);
    if (static_cast<float>(grid.rows) * cell <= height || grid.slots_per_cell >= 1 << 20) return grid;
    if (grid.slots_per_cell > 1) cell = pixel;
  }
}

std::uint32_t mean(const std::vector<std::uint32_t>& colors) {
  std::uint32_t mixed = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    std::size_t sum = 0;
    for (const std::uint32_t color : colors) sum += color >> shift & 0xff;
    mixed |= static_cast<std::uint32_t>(sum / std::max<std::size_t>(1, colors.size())) << shift;
  }
  return mixed;
}

void draw_legend(Ui& ui, std::int32_t slots_per_cell) {
  const auto word = [&](const char* text) {
    label(ui, text, Role::text3, Face::ui, text_size::kCaption);
    ImGui::SameLine(0, ui.px(6));
  };
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  word("oldest");
  const ImVec2 low = ImGui::GetCursorScreenPos();
  constexpr int kSteps = 16;
  const float step = ui.px(3), top = low.y + ui.px(3), bottom = low.y + ui.px(11);
  for (int i = 0; i < kSteps; ++i) {
    const float x = low.x + static_cast<float>(i) * step;
    ImGui::GetWindowDrawList()->AddRectFilled({x, top}, {x + step, bottom},
                                              to_u32(age_color(ui.theme(), i / (kSteps - 1.0))));
  }
  ImGui::Dummy({step * kSteps, ui.px(12)});
  ImGui::SameLine(0, ui.px(6));
  word(slots_per_cell > 1 ? "newest" : "newest kept");
  const float rest = label_width(ui, "window", Face::ui, text_size::kCaption) +
                     label_width(ui, "doomed", Face::ui, text_size::kCaption) + ui.px(38);
  if (ImGui::GetContentRegionAvail().x < rest) ImGui::NewLine();
  for (const auto& [state, name] : {std::pair{Role::window, "window"}, std::pair{Role::doomed, "doomed"}}) {
    swatch(ui, state, 9);
    ImGui::SameLine(0, ui.px(4));
    word(name);
  }
  if (slots_per_cell > 1) {
    label(ui, fmt::format("\u00d7{}", slots_per_cell).c_str(), Role::text2, Face::mono, text_size::kCaption);
    ImGui::SetItemTooltip("Each cell is the mean of %d slots.", slots_per_cell);
    ImGui::SameLine();
  }
  ImGui::NewLine();
}

}  // namespace

void OccupancyPanel::update_pages(PanelContext& context, std::int32_t head, std::int32_t columns,
                                  std::int32_t rows, std::int32_t slots_per_cell) {
  const view::CacheView& cache = context.bench.cache();
  const Theme& theme = context.ui.theme();
  const std::int32_t s = context.bench.position();
  const PageKey key{cache.run().run_id(),
                    cache.index().version(),
                    cache.sequence().id(),
                    head,
                    s,
                    columns,
                    rows,
                    slots_per_cell,
                    theme.kind,
                    theme.palette};
  if (key == page_key_) return;
  page_key_ = key;
  pages_.resize(columns, rows);
  const auto pixels = pages_.pixels();
  std::fill(pixels.begin(), pixels.end(), to_u32(theme[Role::header]));
  std::array<std::uint32_t, 256> ages{};
  for (std::size_t i = 0; i < ages.size(); ++i)
    ages[i] = to_u32(age_color(theme, static_cast<double>(i) / 255));
  const auto color_of = [&](std::int32_t token) -> std::uint32_t {
    const view::TokenState state = cache.state(head, token, s);
    if (state != view::TokenState::kept) return to_u32(theme[role_of(state)]);
    return ages[static_cast<std::size_t>(std::int64_t{token} * 255 / std::max(1, s))];
  };
  const auto per_cell = static_cast<std::size_t>(slots_per_cell);
  std::vector<std::uint32_t> colors;
  for (std::size_t slot = 0; slot < slots_.size(); slot += per_cell) {
    const std::size_t cell = slot / per_cell;
    if (cell >= pixels.size()) break;
    colors.clear();
    for (std::size_t i = slot; i < std::min(slots_.size(), slot + per_cell); ++i)
      colors.push_back(color_of(slots_[i]));
    pixels[cell] = mean(colors);
  }
  pages_.changed();
}

void OccupancyPanel::draw_pages(PanelContext& context, view::Head head) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  const view::CacheView& cache = bench.cache();
  const std::int32_t s = bench.position();
  const std::int32_t flat = head.layer * std::max(1, bench.run().kv_heads()) + head.kv_head;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  if (!cache.closed_form()) {
    ImGui::PushTextWrapPos(0);
    label(ui, "This policy chooses slots by a rule of its own, which is not recorded: pages are unknown.",
          Role::text3, Face::ui, text_size::kCaption);
    ImGui::PopTextWrapPos();
    return;
  }
  const SlotKey key{cache.run().run_id(), cache.index().version(), cache.sequence().id(), flat, s};
  if (key != slot_key_) {
    slot_key_ = key;
    slots_ = view::slot_order(cache, flat, s);
    out_of_order_ = view::slots_out_of_order(slots_);
  }
  const auto used = static_cast<std::int32_t>(slots_.size());
  const std::int32_t page = std::max(1, bench.run().run().page_slots);
  const std::int32_t held = (used + page - 1) / page;

  const ImVec2 low = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  const float named =
      label_at(ui, list, low, fmt::format("Pages of {}", view::format_head(head.layer, head.kv_head)).c_str(),
               Role::text, Face::ui_strong, text_size::kTable);
  const std::string right =
      fmt::format("{} slots, {} pages of {}", view::format_count(used), view::format_count(held), page);
  const float right_width = label_width(ui, right.c_str(), Face::ui, text_size::kCaption);
  const bool one_line = named + right_width + ui.px(8) <= width;
  label_at(ui, list, {one_line ? low.x + width - right_width : low.x, low.y + ui.px(one_line ? 1 : 16)},
           right.c_str(), Role::text2, Face::ui, text_size::kCaption);
  const float top = low.y + ui.px(one_line ? 19 : 34);
  const std::string order = fmt::format(
      "{} of slots out of token order, {} free, no holes",
      view::format_percent(used > 0 ? static_cast<double>(out_of_order_) / used : 0), held * page - used);
  ImGui::SetCursorScreenPos(low);
  ImGui::InvisibleButton("##order", {width, top - low.y});
  ImGui::SetItemTooltip("%s", order.c_str());
  ImGui::SetCursorScreenPos({low.x, top});
  const float left_over = ImGui::GetContentRegionAvail().y - ui.px(22);  // for the legend
  const PageGrid grid = divide(held * page, page, width, std::max(ui.px(28), left_over), ui.px(1));
  update_pages(context, flat, grid.columns, grid.rows, grid.slots_per_cell);
  const ImVec2 size{static_cast<float>(grid.columns) * grid.cell, static_cast<float>(grid.rows) * grid.cell};
  const ImVec2 grid_low{low.x, top}, grid_high{low.x + size.x, top + size.y};
  add_image_nearest(list, pages_, grid_low, grid_high);
  // What no page holds is not there.
  const std::int32_t cells = (held * page + grid.slots_per_cell - 1) / grid.slots_per_cell;
  const std::int32_t in_last = cells - (grid.rows - 1) * grid.columns;
  list.AddRectFilled({grid_low.x + static_cast<float>(in_last) * grid.cell, grid_high.y - grid.cell},
                     grid_high, ui.u32(Role::panel));
  if (grid.cell >= ui.px(4)) {
    for (std::int32_t column = 1; column < grid.columns; ++column) {
      const float x = grid_low.x + static_cast<float>(column) * grid.cell - 0.5F;
      list.AddLine({x, grid_low.y}, {x, grid_high.y}, ui.u32(Role::panel), column % page == 0 ? ui.px(2) : 1);
    }
    for (std::int32_t row = 1; row < grid.rows; ++row) {
      const float y = grid_low.y + static_cast<float>(row) * grid.cell - 0.5F;
      list.AddLine({grid_low.x, y}, {grid_high.x, y}, ui.u32(Role::panel));
    }
  }
  const auto mark = [&](std::int32_t token, Role role) {
    const auto found = std::find(slots_.begin(), slots_.end(), token);
    if (found == slots_.end()) return;
    const auto cell = static_cast<std::int32_t>(found - slots_.begin()) / grid.slots_per_cell;
    const ImVec2 at{grid_low.x + static_cast<float>(cell % grid.columns) * grid.cell,
                    grid_low.y + static_cast<float>(cell / grid.columns) * grid.cell};
    const float out = ui.px(1);
    drawn_item(role == Role::accent ? "pinned slot" : "hovered slot", at,
               {at.x + grid.cell, at.y + grid.cell});
    list.AddRect({at.x - out - 1, at.y - out - 1}, {at.x + grid.cell + out, at.y + grid.cell + out},
                 ui.u32(Role::casing), 0, 0, ui.px(3));
    list.AddRect({at.x - out - 1, at.y - out - 1}, {at.x + grid.cell + out, at.y + grid.cell + out},
                 ui.u32(role), 0, 0, ui.px(1));
  };
  if (bench.hover().token) mark(*bench.hover().token, Role::hover_line);
  if (bench.selection().token) mark(*bench.selection().token, Role::accent);

  ImGui::SetCursorScreenPos(grid_low);
  const bool clicked = ImGui::InvisibleButton("##pages", {std::max(1.0F, size.x), std::max(1.0F, size.y)},
                                              ImGuiButtonFlags_EnableNav);
  if (ImGui::IsItemHovered()) {
    const ImVec2 at = ImGui::GetIO().MousePos;
    const auto cell = static_cast<std::int32_t>((at.y - grid_low.y) / grid.cell) * grid.columns +
                      static_cast<std::int32_t>((at.x - grid_low.x) / grid.cell);
    const auto slot = static_cast<std::size_t>(std::max(0, cell * grid.slots_per_cell));
    if (slot < slots_.size()) {
      bench.next_hover().token = slots_[slot];
      bench.next_hover().head = head;
      bench.next_hover().layer = head.layer;
      token_tooltip(ui, cache, s, flat, slots_[slot], {slots_[slot], slots_[slot] + 1});
      if (clicked) bench.select(view::pin_token(bench.selection(), slots_[slot]));
    }
  }
  ImGui::SetCursorScreenPos({low.x, grid_high.y + ui.px(4)});
  draw_legend(ui, grid.slots_per_cell);
  if (ImGui::GetContentRegionAvail().y < ui.px(14)) return;  // the title's tooltip says it too
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const std::string shown = fit_text(order, width);
  label(ui, shown.c_str(), Role::text2, Face::ui, text_size::kCaption);
}

}  // namespace app::gui
