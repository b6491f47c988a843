#include "app/gui/panels/kernels_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/timeline_lanes.hpp"

namespace app::gui {

namespace {

using Column = view::KernelColumn;
constexpr ImGuiTableColumnFlags kNumber =
    ImGuiTableColumnFlags_WidthFixed | ImGuiTableColumnFlags_PreferSortDescending;

// Why a row's bandwidth is what it is, or is not known.
std::string about_speed(const view::KernelTable& table, const view::KernelRow& row) {
  if (row.device < 0) return "Operations of the CPU do not say what they move.";
  if (!row.gb_per_s()) {
    return "The bytes of these calls are not known: in prefill a slot of the cache is read once for many "
           "queries, "
           "of several kernels of an operation the first has its bytes, and what is unattributed has none.";
  }
  std::string text = fmt::format("{} that had to be moved at least, in {}", view::format_bytes(row.bytes),
                                 view::format_duration(row.bytes_ns));
  if (row.bytes_calls < row.calls) {
    text += fmt::format(", over the {} of {} calls whose bytes are known",
                        view::format_count(row.bytes_calls), view::format_count(row.calls));
  }
  text += table.copy_ceiling_gb_per_s ? fmt::format(". Copying reaches {} on this GPU.",
                                                    view::format_bandwidth(*table.copy_ceiling_gb_per_s))
                                      : ". The copy ceiling of this GPU was not measured in this run.";
  return text;
}

void tip_over(const Ui& ui, ImVec2 low, ImVec2 high, const std::string& text) {
  if (!ImGui::IsWindowHovered() || !ImGui::IsMouseHoveringRect(low, high)) return;
  ImGui::BeginTooltip();
  ImGui::PushTextWrapPos(ui.px(300));
  label(ui, text.c_str(), Role::text2, Face::ui, text_size::kTable);
  ImGui::PopTextWrapPos();
  ImGui::EndTooltip();
}

// Rows of two devices may have one name.
std::string id_of(const view::KernelRow& row) {
  return row.device < 0 ? row.name : fmt::format("{} on {}", row.name, row.device);
}

}  // namespace

// The unit in which the largest value has the fewest digits before the point, and some.
KernelsTable::Unit KernelsTable::unit_for(std::int64_t largest) {
  if (largest >= 10'000'000'000) return {1e9, "s"};
  if (largest >= 10'000'000) return {1e6, "ms"};
  return {1e3, "µs"};
}

std::string KernelsTable::in_unit(std::int64_t ns, const Unit& unit) {
  const double value = static_cast<double>(ns) / unit.ns;
  return fmt::format("{:.{}f}", value, value >= 1000 ? 0 : value >= 100 ? 1 : 2);
}

// What there is no room for goes, from the right; a GPU's bandwidth is what its table is for.
std::vector<KernelsTable::Cell> KernelsTable::cells_for(const view::KernelTable& table, float room) {
  std::vector<Cell> cells{Cell::name};
  if (table.has_several) {
    cells.push_back(Cell::device);
    room -= 70;
  }
  for (const Cell cell : {Cell::total, Cell::share}) cells.push_back(cell);
  if (table.has_gpu) {
    for (const Cell cell : {Cell::speed, Cell::ceiling}) cells.push_back(cell);
    room -= 116;
  }
  constexpr std::array<std::pair<float, Cell>, 6> kRest{{{310.0F, Cell::calls},
                                                         {370.0F, Cell::mean},
                                                         {430.0F, Cell::p50},
                                                         {490.0F, Cell::p95},
                                                         {540.0F, Cell::p99},
                                                         {640.0F, Cell::layers}}};
  for (const auto& [needed, cell] : kRest) {
    if (room >= needed) cells.push_back(cell);
  }
  return cells;
}

view::KernelClass KernelsTable::class_of(const view::KernelRow& row) const {
  return colors_.of_operation(row.operation >= 0 ? row.operation : row.most_spent);
}

void KernelsTable::set_up(Ui& ui, const std::vector<Cell>& cells, const char* what) {
  const auto column = [&](const std::string& title, float width, Column key,
                          ImGuiTableColumnFlags flags = kNumber) {
    ImGui::TableSetupColumn(title.c_str(), flags, ui.px(width), static_cast<ImGuiID>(key));
  };
  constexpr ImGuiTableColumnFlags kUnsorted = ImGuiTableColumnFlags_NoSort;
  ImGui::TableSetupScrollFreeze(0, 1);
  for (const Cell cell : cells) {
    switch (cell) {
      case Cell::name:
        ImGui::TableSetupColumn(what, ImGuiTableColumnFlags_WidthStretch, 1.4F,
                                static_cast<ImGuiID>(Column::name));
        break;
      case Cell::device:
        column("Device", 62, Column::device, ImGuiTableColumnFlags_WidthFixed);
        break;
      case Cell::total:
        column(fmt::format("Total {}", total_.name), 74, Column::total,
               kNumber | ImGuiTableColumnFlags_DefaultSort);
        break;
      case Cell::share:
        column("%", 36, Column::total, ImGuiTableColumnFlags_WidthFixed | kUnsorted);
        break;
      case Cell::speed:
        column("GB/s", 54, Column::gb_per_s);
        break;
      case Cell::ceiling:
        column("% copy", 54, Column::gb_per_s, ImGuiTableColumnFlags_WidthFixed | kUnsorted);
        break;
      case Cell::calls:
        column("Calls", 50, Column::calls);
        break;
      case Cell::mean:
        column(fmt::format("Mean {}", each_.name), 58, Column::mean);
        break;
      case Cell::p50:
        column("P50", 50, Column::p50);
        break;
      case Cell::p95:
        column("P95", 50, Column::p95);
        break;
      case Cell::p99:
        column("P99", 50, Column::p99);
        break;
      case Cell::layers:
        ImGui::TableSetupColumn("by layer", ImGuiTableColumnFlags_WidthStretch | kUnsorted, 1);
        break;
    }
  }
}

// Titles of numbers end where the numbers do.
void KernelsTable::draw_headers(Ui& ui, const std::vector<Cell>& cells) {
  ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(Role::text2));
  ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
  for (int column = 0; column < static_cast<int>(cells.size()); ++column) {
    if (!ImGui::TableSetColumnIndex(column)) continue;
    const Cell cell = cells[static_cast<std::size_t>(column)];
    const char* title = ImGui::TableGetColumnName(column);
    const bool is_number = cell != Cell::name && cell != Cell::device && cell != Cell::layers;
    const bool has_arrow = (ImGui::TableGetColumnFlags(column) & ImGuiTableColumnFlags_IsSorted) != 0;
    const float spare = ImGui::GetContentRegionAvail().x - ImGui::CalcTextSize(title).x -
                        (has_arrow ? ImGui::GetFontSize() * 0.65F + ui.px(4) : 0);
    if (is_number && spare > 0) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + spare);
    ImGui::PushID(column);
    ImGui::TableHeader(title);
    ImGui::PopID();
    if (cell == Cell::speed)
      ImGui::SetItemTooltip("Bandwidth achieved, over the calls whose bytes are known");
    if (cell == Cell::ceiling)
      ImGui::SetItemTooltip(
          "Of the copy ceiling: what copying memory reaches on this GPU, where that was measured");
  }
  ImGui::PopStyleColor();
}

void KernelsTable::take_sorting(view::KernelTable& table) {
  ImGuiTableSortSpecs* specs = ImGui::TableGetSortSpecs();
  if (specs == nullptr || !specs->SpecsDirty) return;
  if (specs->SpecsCount > 0) {
    sorted_by_ = static_cast<Column>(specs->Specs[0].ColumnUserID);
    descending_ = specs->Specs[0].SortDirection == ImGuiSortDirection_Descending;
    sort(table);
  }
  specs->SpecsDirty = false;
}

void KernelsTable::draw(PanelContext& context, view::KernelTable& table, const char* what, float height) {
  Ui& ui = context.ui;
  colors_.update(context.bench.run());
  const float room = ImGui::GetContentRegionAvail().x / ui.metrics().scale();
  const std::vector<Cell> cells = cells_for(table, room);
  std::int64_t longest_mean = 0;
  for (const view::KernelRow& row : table.rows) longest_mean = std::max(longest_mean, row.mean_ns);
  total_ = unit_for(table.total_ns);
  each_ = unit_for(longest_mean);
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(ui.px(4), ui.px(1)));
  // Each set of columns sorts for itself.
  const std::string id =
      fmt::format("{}kernels{}", table.has_gpu ? table.has_several ? "devices " : "gpu " : "", cells.size());
  if (!ImGui::BeginTable(id.c_str(), static_cast<int>(cells.size()),
                         ImGuiTableFlags_Sortable | ImGuiTableFlags_ScrollY | ImGuiTableFlags_RowBg |
                             ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_BordersInnerH,
                         {0, height})) {
    ImGui::PopStyleVar();
    return;
  }
  set_up(ui, cells, what);
  draw_headers(ui, cells);
  take_sorting(table);
  for (const view::KernelRow& row : table.rows) draw_row(context, table, row, cells);
  ImGui::EndTable();
  ImGui::PopStyleVar();
}

// --- rows
// -------------------------------------------------------------------------------------------------------

void KernelsTable::draw_name(PanelContext& context, const view::KernelRow& row) {
  Ui& ui = context.ui;
  const view::Selection& selection = context.bench.selection();
  const bool pinned = row.operation >= 0 && selection.operation && *selection.operation == row.operation;
  const bool linked = row.operation >= 0 && context.bench.hover().operation &&
                      *context.bench.hover().operation == row.operation;
  if (pinned) {
    ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg1, ui.u32(Role::accent_dim));
  } else if (linked) {
    ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg1, ui.u32(Role::raised));
  }
  const ImVec2 low = ImGui::GetCursorScreenPos();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  if (pinned)
    list.AddRectFilled({low.x - ui.px(4), low.y - ui.px(1)}, {low.x - ui.px(1), low.y + ui.px(17)},
                       ui.u32(Role::accent));
  ImGui::PushStyleColor(ImGuiCol_Header, 0);
  const bool pressed = ImGui::Selectable(
      ("##" + id_of(row)).c_str(), pinned,
      ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap, {0, ui.px(14)});
  ImGui::PopStyleColor();
  if (ImGui::IsItemHovered() && row.operation >= 0) context.bench.next_hover().operation = row.operation;
  if (pressed && row.operation >= 0) {
    view::Selection next = selection;
    next.operation = pinned ? std::nullopt : std::optional(row.operation);
    context.bench.select(std::move(next));
  }
  const view::KernelClass kernel_class = class_of(row);
  const ImVec2 square{low.x + ui.px(2), low.y + ui.px(4)}, end{low.x + ui.px(10), low.y + ui.px(12)};
  list.AddRectFilled(square, end, ui.u32(role_of(kernel_class)), ui.px(2));
  if (row.device >= 0 && kernel_class == view::KernelClass::graph)
    list.AddRect(square, end, ui.u32(Role::text3), ui.px(2), 0, ui.px(1));
  const FontScope mono(ui.fonts(), Face::mono, text_size::kTable);
  const float room = ImGui::GetContentRegionAvail().x;
  const std::string name = fit_text(row.name, room - ui.px(16));
  list.AddText({low.x + ui.px(15), low.y}, ui.u32(pinned ? Role::accent : Role::text), name.c_str());
  if (name != row.name) tip_over(ui, low, {low.x + room, low.y + ui.px(16)}, row.name);
}

void KernelsTable::draw_cell(PanelContext& context, const view::KernelTable& table,
                             const view::KernelRow& row, Cell cell) {
  const Ui& ui = context.ui;
  const auto number = [&](const std::string& text, Role role = Role::text) {
    number_cell(ui, text.c_str(), role);
  };
  const FontScope font(ui.fonts(), cell == Cell::name ? Face::ui : Face::mono, text_size::kTable);
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const ImVec2 high{low.x + ImGui::GetContentRegionAvail().x, low.y + ui.px(16)};
  switch (cell) {
    case Cell::name:
      return draw_name(context, row);
    case Cell::device:
      return label(ui, row.device < 0 ? "CPU" : fmt::format("GPU {}", row.device).c_str(), Role::text2,
                   Face::ui, text_size::kTable);
    case Cell::total:
      return number(in_unit(row.total_ns, total_));
    case Cell::share:
      return number(fmt::format("{:.1f}", row.share * 100));
    case Cell::speed: {
      const auto speed = row.device < 0 ? std::nullopt : row.gb_per_s();
      number(
          speed ? fmt::format("{:.{}f}", *speed, *speed < 99.95 ? 1 : 0) : std::string(view::kNotApplicable),
          speed ? Role::text : Role::text3);
      drawn_item(("speed of " + id_of(row)).c_str(), low, high);
      return tip_over(ui, low, high, about_speed(table, row));
    }
    case Cell::ceiling: {
      const auto share = table.ceiling_share(row);
      number(share ? fmt::format("{:.1f}", *share * 100) : std::string(view::kNotApplicable),
             share ? Role::text : Role::text3);
      return tip_over(ui, low, high, about_speed(table, row));
    }
    case Cell::calls:
      return number(view::format_count(row.calls), Role::text2);
    case Cell::mean:
      return number(in_unit(row.mean_ns, each_));
    case Cell::p50:
      return number(in_unit(row.p50_ns, each_), Role::text2);
    case Cell::p95:
      return number(in_unit(row.p95_ns, each_), Role::text2);
    case Cell::p99:
      return number(in_unit(row.p99_ns, each_), Role::text2);
    case Cell::layers:
      return draw_layers(context, row);
  }
}

void KernelsTable::draw_row(PanelContext& context, const view::KernelTable& table, const view::KernelRow& row,
                            const std::vector<Cell>& cells) {
  ImGui::TableNextRow(0, context.ui.px(height::kTableRow));
  for (const Cell cell : cells) {
    ImGui::TableNextColumn();
    draw_cell(context, table, row, cell);
  }
}

void KernelsTable::draw_layers(PanelContext& context, const view::KernelRow& row) {
  Ui& ui = context.ui;
  const std::int64_t most =
      row.layer_ns.empty() ? 0 : *std::max_element(row.layer_ns.begin(), row.layer_ns.end());
  if (most <= 0) {
    const bool whole = row.device >= 0 && class_of(row) == view::KernelClass::graph;
    const char* why = whole ? "layers not told apart" : "outside the layers";
    return label(ui, why, Role::text3, Face::ui, text_size::kCaption);
  }
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = ui.px(14);
  const float step = width / static_cast<float>(row.layer_ns.size());
  const auto& pinned = context.bench.selection().head;
  const view::Hover& hover = context.bench.hover();
  const view::KernelClass kernel_class = class_of(row);
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const bool inside = ImGui::IsWindowHovered() && mouse.x >= low.x && mouse.x < low.x + width &&
                      mouse.y >= low.y && mouse.y < low.y + height;
  for (std::size_t layer = 0; layer < row.layer_ns.size(); ++layer) {
    const float x = low.x + step * static_cast<float>(layer);
    const float tall =
        std::max(1.0F, height * static_cast<float>(row.layer_ns[layer]) / static_cast<float>(most));
    const auto number = static_cast<std::int32_t>(layer);
    const bool is_pinned = pinned && pinned->layer == number;
    const bool is_hovered = hover.layer && *hover.layer == number;
    const ImU32 color = is_hovered  ? ui.u32(Role::hover_line)
                        : is_pinned ? ui.u32(Role::accent)
                                    : ui.u32(role_of(kernel_class));
    list.AddRectFilled({x, low.y + height - tall},
                       {x + std::max(1.0F, step - (step >= 3 ? 1 : 0)), low.y + height}, color);
  }
  ImGui::Dummy({width, height});
  drawn_item(("layers of " + id_of(row)).c_str(), low, {low.x + width, low.y + height});
  if (!inside) return;
  const auto layer = std::min(row.layer_ns.size() - 1, static_cast<std::size_t>((mouse.x - low.x) / step));
  context.bench.next_hover().layer = static_cast<std::int32_t>(layer);
  ImGui::SetTooltip("%s, layer %d: %s", row.name.c_str(), static_cast<int>(layer),
                    view::format_duration(row.layer_ns[layer]).c_str());
}

}  // namespace app::gui
