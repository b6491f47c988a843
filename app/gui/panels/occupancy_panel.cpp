#include "app/gui/panels/occupancy_panel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

struct SizeRow {
  const char* name;
  std::optional<std::int64_t> slots;
  std::optional<std::int64_t> bytes;
  std::optional<double> ratio;
  Role fill;
};

// Logical, allocated and dense bytes with their ratios, always together.
void draw_sizes(PanelContext& context, bool brief) {
  Ui& ui = context.ui;
  const view::CacheSize size = context.bench.cache().size(context.bench.position());
  const SizeRow rows[]{{"Logical", size.live_slots, size.logical_bytes(), size.logical_ratio(), Role::kept},
                       {"Allocated", size.allocated_slots, size.allocated_bytes(), size.allocated_ratio(),
                        Role::text_ramp_end},
                       {"Dense", size.dense_slots, size.dense_bytes(), 1.0, Role::strong_line}};
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto right = [&](float x, float y, const std::string& text, Role role, Face face, float em) {
    label_at(ui, list, {x - label_width(ui, text.c_str(), face, em), y}, text.c_str(), role, face, em);
  };
  const float ratio_x = low.x + width, bytes_x = ratio_x - ui.px(56);
  const float bar_low = low.x + ui.px(66), bar_high = bytes_x - ui.px(86);
  float y = low.y;
  const std::string slot = fmt::format("{} per slot, K + V", view::format_bytes(size.slot_bytes));
  if (!brief) {
    const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
    list.AddText({low.x, y}, ui.u32(Role::text3), fit_text(slot, bytes_x - ui.px(40) - low.x).c_str());
    right(bytes_x, y, "bytes", Role::text3, Face::ui, text_size::kCaption);
    right(ratio_x, y, "CR", Role::text3, Face::ui, text_size::kCaption);
    y += ui.px(17);
  }
  const auto dense = static_cast<float>(std::max<std::int64_t>(1, size.dense_slots));
  for (const SizeRow& row : rows) {
    label_at(ui, list, {low.x, y}, row.name, Role::text2, Face::ui, text_size::kTable);
    if (bar_high > bar_low + ui.px(16)) {
      const float top = y + ui.px(3), bottom = y + ui.px(14);
      list.AddRectFilled({bar_low, top}, {bar_high, bottom}, ui.u32(Role::header), ui.px(2));
      const float end =
          bar_low + (bar_high - bar_low) * std::min(1.0F, static_cast<float>(row.slots.value_or(0)) / dense);
      list.AddRectFilled({bar_low, top}, {end, bottom}, ui.u32(row.fill), ui.px(2));
      if (row.fill == Role::kept && size.doomed_slots > 0) {
        const float begin = end - (bar_high - bar_low) * static_cast<float>(size.doomed_slots) / dense;
        list.AddRectFilled({begin, top}, {end, bottom}, ui.u32(Role::doomed), ui.px(2));
      }
    }
    const bool known = row.bytes.has_value();
    right(bytes_x, y, view::format_or_unknown(row.bytes, view::format_bytes),
          known ? Role::text : Role::text3, Face::mono_strong, text_size::kTable);
    right(ratio_x, y, row.ratio ? view::format_ratio(*row.ratio) : view::kNotApplicable,
          row.fill == Role::strong_line ? Role::text3 : Role::text, Face::mono_strong, text_size::kTable);
    y += ui.px(18);
  }
  ImGui::Dummy({width, y - low.y + ui.px(2)});
}

void head_tooltip(Ui& ui, const view::CacheView& cache, view::Head head, std::int32_t flat, std::int32_t s) {
  if (!ImGui::BeginTooltip()) return;
  const view::CacheSize size = cache.head_size(flat, s);
  label(ui, view::format_head(head.layer, head.kv_head).c_str(), Role::text, Face::ui_strong);
  const auto line = [&](const char* name, const std::string& value, const std::string& more) {
    const float left = ImGui::GetCursorPosX();
    label(ui, name, Role::text3, Face::ui, text_size::kTable);
    ImGui::SameLine(0, 0);
    ImGui::SetCursorPosX(left + ui.px(66));
    label(ui, value.c_str(), Role::text, Face::mono_strong, text_size::kTable);
    ImGui::SameLine(0, ui.px(6));
    label(ui, more.c_str(), Role::text2, Face::ui, text_size::kTable);
  };
  const auto dense = static_cast<double>(std::max<std::int64_t>(1, size.dense_slots));
  line("live", view::format_count(size.live_slots),
       fmt::format("of {} slots, {}", view::format_count(size.dense_slots),
                   view::format_percent(static_cast<double>(size.live_slots) / dense)));
  line("doomed", view::format_count(size.doomed_slots), "leave within the window");
  line("allocated", view::format_or_unknown(size.allocated_slots, view::format_count),
       size.allocated_bytes() ? view::format_bytes(*size.allocated_bytes()) : "");
  line("CR", view::format_ratio(size.logical_ratio()), "dense \u00f7 live");
  ImGui::EndTooltip();
}

// The grid of meters: a column per layer, a row per KV head.
struct Grid {
  ImVec2 low;
  float cell_width = 0, cell_height = 0, gap = 0;
  std::int32_t layers = 0, kv_heads = 0;

  ImVec2 cell_low(view::Head head) const {
    return {std::round(low.x + static_cast<float>(head.layer) * cell_width),
            low.y + static_cast<float>(head.kv_head) * cell_height};
  }
  ImVec2 cell_high(view::Head head) const {
    return {std::round(low.x + static_cast<float>(head.layer + 1) * cell_width) - gap,
            low.y + static_cast<float>(head.kv_head + 1) * cell_height - gap};
  }
  std::optional<view::Head> at(ImVec2 point) const {
    const view::Head head{static_cast<std::int32_t>(std::floor((point.x - low.x) / cell_width)),
                          static_cast<std::int32_t>(std::floor((point.y - low.y) / cell_height))};
    const bool inside =
        head.layer >= 0 && head.layer < layers && head.kv_head >= 0 && head.kv_head < kv_heads;
    return inside ? std::optional(head) : std::nullopt;
  }
};

void paint_meters(PanelContext& context, const Grid& grid) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const view::CacheView& cache = context.bench.cache();
  const std::int32_t s = context.bench.position();
  const auto& hovered = context.bench.hover().token;
  const auto& pinned = context.bench.selection().token;
  const float dense = static_cast<float>(s + 1);
  const bool dots = grid.cell_width >= ui.px(5);
  for (std::int32_t flat = 0; flat < cache.heads(); ++flat) {
    const view::Head head{flat / grid.kv_heads, flat % grid.kv_heads};
    const ImVec2 low = grid.cell_low(head), high = grid.cell_high(head);
    const float height = high.y - low.y;
    const auto live = static_cast<float>(cache.live(flat, s)),
               doomed = static_cast<float>(cache.doomed(flat, s));
    const float top = high.y - std::round(height * live / dense);
    const float middle = high.y - std::round(height * (live - doomed) / dense);
    list.AddRectFilled(low, high, ui.u32(Role::evicted));
    // At least a pixel of orange where anything is doomed.
    const float orange = doomed > 0 ? std::max(middle, top + 1) : middle;
    if (doomed > 0)
      list.AddRectFilled({low.x, std::min(top, high.y - 1)}, {high.x, std::min(orange, high.y)},
                         ui.u32(Role::doomed));
    if (orange < high.y) list.AddRectFilled({low.x, orange}, high, ui.u32(Role::kept));
    const auto holds = [&](const std::optional<std::int32_t>& token) {
      if (!token || *token > s) return false;
      return cache.state(flat, *token, s) != view::TokenState::evicted;
    };
    if (!dots || (!holds(hovered) && !holds(pinned))) continue;
    const ImVec2 dot{std::round((low.x + high.x) / 2) - ui.px(1), low.y + ui.px(2)};
    list.AddRectFilled({dot.x - 1, dot.y - 1}, {dot.x + ui.px(2) + 1, dot.y + ui.px(2) + 1},
                       ui.u32(Role::casing));
    list.AddRectFilled(dot, {dot.x + ui.px(2), dot.y + ui.px(2)},
                       ui.u32(holds(hovered) ? Role::hover_line : Role::accent));
  }
}

void paint_grid_marks(PanelContext& context, const Grid& grid) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  for (const view::Head chosen : context.bench.selection().heads.heads()) {
    const ImVec2 low = grid.cell_low(chosen), high = grid.cell_high(chosen);
    list.AddRectFilled({low.x, high.y - ui.px(2)}, high, ui.u32(Role::accent));
  }
  const auto frame = [&](view::Head head, Role role) {
    ImVec2 low = grid.cell_low(head), high = grid.cell_high(head);
    drawn_item(role == Role::accent ? "pinned head" : "hovered head", low, high);
    list.AddRect({low.x - ui.px(2), low.y - ui.px(2)}, {high.x + ui.px(2), high.y + ui.px(2)},
                 ui.u32(Role::casing), ui.px(2), 0, ui.px(3));
    list.AddRect({low.x - ui.px(2), low.y - ui.px(2)}, {high.x + ui.px(2), high.y + ui.px(2)}, ui.u32(role),
                 ui.px(2), 0, ui.px(1));
  };
  const view::Hover& hover = context.bench.hover();
  if (hover.layer && *hover.layer >= 0 && *hover.layer < grid.layers) {
    const ImVec2 low = grid.cell_low({*hover.layer, grid.kv_heads - 1}),
                 high = grid.cell_high({*hover.layer, grid.kv_heads - 1});
    list.AddRectFilled({low.x, high.y + ui.px(1)}, {high.x, high.y + ui.px(3)}, ui.u32(Role::hover_line));
  }
  if (hover.head) frame(*hover.head, Role::hover_line);
  if (const auto& pinned = context.bench.selection().head) frame(*pinned, Role::accent);
}

}  // namespace

void OccupancyPanel::draw(PanelContext& context) {
  if (context.bench.position() < 0) return;
  Ui& ui = context.ui;
  const bool pages = context.bench.selection().head.has_value();
  // Units speak for themselves where the pages need the line.
  draw_sizes(context, pages && ImGui::GetContentRegionAvail().y < ui.px(320));
  const auto kv_heads = static_cast<float>(std::max(1, context.bench.run().kv_heads()));
  // What is left between the meters' own lines of text and the pages with theirs.
  const float room = ImGui::GetContentRegionAvail().y - ui.px(36 + (pages ? 96 : 20));
  draw_meters(context, std::clamp(room, kv_heads * ui.px(10), kv_heads * ui.px(height::kMeter)));
  if (const auto& head = context.bench.selection().head) {
    draw_pages(context, *head);
  } else {
    ImGui::PushTextWrapPos(0);
    label(ui, "Click a meter to pin its head and see its pages.", Role::text3, Face::ui, text_size::kCaption);
    ImGui::PopTextWrapPos();
  }
}

void OccupancyPanel::draw_meters(PanelContext& context, float height) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  label_at(ui, list, low, "live \u00f7 dense by head", Role::text2, Face::ui, text_size::kCaption);
  const char* legend = "\u25aa holds the token";
  const bool marks = bench.hover().token || bench.selection().token;
  const float legend_width = label_width(ui, legend, Face::ui, text_size::kCaption);
  if (marks && width > ui.px(125) + legend_width) {
    label_at(ui, list, {low.x + width - legend_width, low.y}, legend,
             bench.hover().token ? Role::text2 : Role::accent, Face::ui, text_size::kCaption);
  }
  Grid grid;
  const float gutter = ui.px(22);
  grid.layers = std::max(1, bench.run().layers());
  grid.kv_heads = std::max(1, bench.run().kv_heads());
  grid.low = {low.x + gutter, low.y + ui.px(18)};
  grid.cell_width = std::max(1.0F, (width - gutter - ui.px(2)) / static_cast<float>(grid.layers));
  grid.cell_height = std::max(ui.px(4), std::floor(height / static_cast<float>(grid.kv_heads)));
  grid.gap = grid.cell_width >= ui.px(8) && grid.cell_height >= ui.px(10) ? ui.px(2)
             : grid.cell_width >= ui.px(4)                                ? 1
                                                                          : 0;
  paint_meters(context, grid);
  const std::int32_t every_head =
      grid.cell_height >= ui.px(11) ? 1 : static_cast<std::int32_t>(std::ceil(ui.px(11) / grid.cell_height));
  for (std::int32_t h = 0; h < grid.kv_heads; h += every_head) {
    const float y = grid.cell_low({0, h}).y + (grid.cell_height - grid.gap) / 2 - ui.px(6.5F);
    label_at(ui, list, {low.x, std::round(std::max(y, grid.low.y - ui.px(2)))}, fmt::format("h{}", h).c_str(),
             Role::text3, Face::mono, text_size::kAxis);
  }
  const float bottom = grid.low.y + grid.cell_height * static_cast<float>(grid.kv_heads);
  std::int32_t every = 1;
  while (static_cast<float>(every) * grid.cell_width < ui.px(30)) every = every == 1 ? 5 : every * 2;
  for (std::int32_t layer = 0; layer < grid.layers; layer += every) {
    const std::string name = fmt::format("L{}", layer);
    const float x = grid.cell_low({layer, 0}).x;
    if (x + label_width(ui, name.c_str(), Face::mono, text_size::kAxis) > low.x + width) break;
    label_at(ui, list, {x, bottom + ui.px(1)}, name.c_str(), Role::text3, Face::mono, text_size::kAxis);
  }
  paint_grid_marks(context, grid);
  ImGui::SetCursorScreenPos(grid.low);
  const bool clicked =
      ImGui::InvisibleButton("##meters", {width - gutter, bottom - grid.low.y}, ImGuiButtonFlags_EnableNav);
  if (ImGui::IsItemHovered()) {
    if (const auto head = grid.at(ImGui::GetIO().MousePos)) {
      bench.next_hover().head = head;
      bench.next_hover().layer = head->layer;
      head_tooltip(ui, bench.cache(), *head, head->layer * grid.kv_heads + head->kv_head, bench.position());
      if (clicked && ImGui::GetIO().KeyCtrl) {
        view::Selection selection = bench.selection();
        selection.heads = selection.heads.toggled(*head);
        bench.select(std::move(selection));
      } else if (clicked && ImGui::IsMouseReleased(ImGuiMouseButton_Left)) {
        bench.select(view::pin_head(bench.selection(), *head));
      }
    }
  }
  for (std::int32_t flat = 0; drawn_items_wanted() && flat < bench.cache().heads(); ++flat) {
    const view::Head head{flat / grid.kv_heads, flat % grid.kv_heads};
    drawn_item(view::format_head(head.layer, head.kv_head).c_str(), grid.cell_low(head),
               grid.cell_high(head));
  }
  ImGui::SetCursorScreenPos({low.x, bottom + ui.px(16)});
}

}  // namespace app::gui
