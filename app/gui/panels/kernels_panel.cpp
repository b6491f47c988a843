#include "app/gui/panels/kernels_panel.hpp"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/kernel_csv.hpp"
#include "app/view/range_statistics.hpp"

namespace app::gui {

namespace {

constexpr double kRefreshSeconds = 0.5;
constexpr engine::Step kRecentSteps = 64;
constexpr std::size_t kAtOnce = 30'000;  // spans whose table costs less than a thread's start is worth
constexpr std::array kRangeNames{"this step", "64 steps", "selection", "all steps"};
constexpr std::array kByNames{"operation", "kernel"};
constexpr ImGuiTableColumnFlags kNumber =
    ImGuiTableColumnFlags_WidthFixed | ImGuiTableColumnFlags_PreferSortDescending;

engine::Step shown_step(const Workbench& bench) {
  const std::int32_t position = bench.position();
  return position >= 0 && position < bench.sequence().tokens() ? bench.sequence().token(position).step : -1;
}

bool anything_selected(const view::Selection& selection) {
  return selection.times || selection.tokens || !selection.heads.empty();
}

std::string stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm time{};
  localtime_r(&now, &time);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &time);
  return text.data();
}

void save_csv(Notices& notices, const std::string& csv) {
  std::error_code error;
  const auto path = std::filesystem::current_path(error) / fmt::format("dmscope-kernels-{}.csv", stamp());
  std::ofstream file(path, std::ios::binary);
  file << csv;
  file.close();
  if (!file) {
    notices.add(NoticeLevel::error, fmt::format("{}: cannot be written", path.string()));
  } else {
    notices.add(NoticeLevel::info, fmt::format("Saved {}", path.string()));
  }
}

struct Unit {
  double ns;
  const char* name;
};

// The unit in which the largest value has the fewest digits before the point, and some.
Unit unit_for(std::int64_t largest) {
  if (largest >= 10'000'000'000) return {1e9, "s"};
  if (largest >= 10'000'000) return {1e6, "ms"};
  return {1e3, "µs"};
}

std::string in_unit(std::int64_t ns, const Unit& unit) {
  const double value = static_cast<double>(ns) / unit.ns;
  return fmt::format("{:.{}f}", value, value >= 1000 ? 0 : value >= 100 ? 1 : 2);
}

}  // namespace

KernelsPanel::Question KernelsPanel::question(const PanelContext& context) const {
  Question question;
  question.run_id = context.bench.run().run_id();
  question.version = context.bench.run().version();
  question.range = range_;
  if (range_ == Range::step || range_ == Range::recent) question.step = shown_step(context.bench);
  if (range_ == Range::selection) {
    question.selection.times = context.bench.selection().times;
    question.selection.tokens = context.bench.selection().tokens;
    question.selection.heads = context.bench.selection().heads;
  }
  question.by = by_;
  question.filter = filter_in_force_;
  return question;
}

view::KernelTableOptions KernelsPanel::options(const PanelContext& context) const {
  view::KernelTableOptions options;
  options.by = by_ == 0 ? view::KernelTableOptions::By::operation : view::KernelTableOptions::By::kernel;
  options.filter = filter_;
  const engine::Step step = shown_step(context.bench);
  if (range_ == Range::step) options.steps = view::StepRange{step, step + 1};
  if (range_ == Range::recent) options.steps = view::StepRange{step - kRecentSteps + 1, step + 1};
  if (range_ == Range::selection) {
    const view::Selection& selection = context.bench.selection();
    options.times = selection.times;
    options.heads = selection.heads;
    if (selection.tokens) options.steps = view::steps_of(context.bench.sequence(), *selection.tokens);
  }
  return options;
}

void KernelsPanel::refresh(PanelContext& context) {
  const view::RunSnapshot& run = context.bench.run();
  if (filter_run_ != run.run_id()) {
    filter_run_ = run.run_id();
    has_table_ = false;
    const auto parsed = view::SpanFilter::parse(filter_text_, run.run());
    filter_ = parsed ? *parsed : view::SpanFilter();
    filter_in_force_ = parsed ? filter_text_ : "";
    filter_error_ = parsed || filter_text_.empty() ? "" : parsed.error().message;
  }
  const auto accept = [&](view::KernelTable table) {
    table_ = std::move(table);
    sort_rows(table_, sorted_by_, descending_);
    has_table_ = true;
  };
  using namespace std::chrono_literals;
  // Nothing better to show yet: worth a moment's wait.
  if (auto done = job_.take(has_table_ ? 0ms : 15ms)) accept(std::move(*done));
  const Question now = question(context);
  if (job_.busy() || (has_table_ && now == asked_)) return;
  Question same_but_newer = now;
  same_but_newer.version = asked_.version;
  const bool only_grew = has_table_ && same_but_newer == asked_;
  if (only_grew && context.bench.busy() && ImGui::GetTime() - asked_at_ < kRefreshSeconds) return;
  asked_ = now;
  asked_at_ = ImGui::GetTime();
  if (run.spans().size() <= kAtOnce) return accept(view::kernel_table(run, options(context)));
  auto snapshot = std::make_shared<const view::RunSnapshot>(run);
  job_.start([snapshot, wanted = options(context)] { return view::kernel_table(*snapshot, wanted); },
             context.bench.waker());
}

void KernelsPanel::draw_toolbar(PanelContext& context) {
  Ui& ui = context.ui;
  const float room = ImGui::GetContentRegionAvail().x;
  const float combos = ui.px(92) + ui.px(96) + 2 * ui.px(4);
  const bool one_row = room >= combos + ui.px(180);
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(ui.px(6), ui.px(2)));
  ImGui::SetNextItemWidth(one_row ? room - combos : room);
  if (!filter_error_.empty()) ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(Role::error));
  const bool edited =
      ImGui::InputTextWithHint("##filter", "filter: dur > 20us and name ~ attn", &filter_text_);
  if (!filter_error_.empty()) ImGui::PopStyleColor();
  if (edited) {
    const auto parsed = view::SpanFilter::parse(filter_text_, context.bench.run().run());
    const bool blank = filter_text_.find_first_not_of(' ') == std::string::npos;
    filter_error_ = parsed || blank ? "" : parsed.error().message;
    if (parsed || blank) {
      filter_ = parsed ? *parsed : view::SpanFilter();
      filter_in_force_ = blank ? "" : filter_text_;
    }
  }
  if (one_row) ImGui::SameLine(0, ui.px(4));
  const auto combo = [&](const char* id, auto& names, int& chosen, float width) {
    ImGui::SetNextItemWidth(width);
    return app::gui::combo(ui, id, chosen, names);
  };
  int range = static_cast<int>(range_);
  if (combo("##range", kRangeNames, range, ui.px(92))) range_ = static_cast<Range>(range);
  ImGui::SetItemTooltip("Which steps the table is about");
  ImGui::SameLine(0, ui.px(4));
  combo("##by", kByNames, by_, ui.px(96));
  ImGui::PopStyleVar();
  if (!filter_error_.empty()) {
    ImGui::PushTextWrapPos(0);
    label(ui, filter_error_.c_str(), Role::error, Face::ui, text_size::kCaption);
    drawn_item("filter error", ImGui::GetItemRectMin(), ImGui::GetItemRectMax());
    ImGui::PopTextWrapPos();
  }
}

void KernelsPanel::draw_layers(PanelContext& context, const view::KernelRow& row) {
  Ui& ui = context.ui;
  const std::int64_t most =
      row.layer_ns.empty() ? 0 : *std::max_element(row.layer_ns.begin(), row.layer_ns.end());
  if (most <= 0) return label(ui, "outside the layers", Role::text3, Face::ui, text_size::kCaption);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = ui.px(14);
  const float step = width / static_cast<float>(row.layer_ns.size());
  const auto& pinned = context.bench.selection().head;
  const view::Hover& hover = context.bench.hover();
  const view::KernelClass kernel_class =
      row.operation >= 0 ? colors_.of_operation(row.operation) : colors_.of_kernel(row.kernel);
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
  drawn_item(("layers of " + row.name).c_str(), low, {low.x + width, low.y + height});
  if (!inside) return;
  const auto layer = std::min(row.layer_ns.size() - 1, static_cast<std::size_t>((mouse.x - low.x) / step));
  context.bench.next_hover().layer = static_cast<std::int32_t>(layer);
  ImGui::SetTooltip("%s, layer %d: %s", row.name.c_str(), static_cast<int>(layer),
                    view::format_duration(row.layer_ns[layer]).c_str());
}

void KernelsPanel::draw_row(PanelContext& context, const view::KernelRow& row, int columns) {
  Ui& ui = context.ui;
  ImGui::TableNextRow(0, ui.px(height::kTableRow));
  ImGui::TableNextColumn();
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
      ("##" + row.name).c_str(), pinned,
      ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap, {0, ui.px(14)});
  ImGui::PopStyleColor();
  if (ImGui::IsItemHovered() && row.operation >= 0) context.bench.next_hover().operation = row.operation;
  if (pressed && row.operation >= 0) {
    view::Selection next = selection;
    next.operation = pinned ? std::nullopt : std::optional(row.operation);
    context.bench.select(std::move(next));
  }
  const view::KernelClass kernel_class =
      row.operation >= 0 ? colors_.of_operation(row.operation) : colors_.of_kernel(row.kernel);
  list.AddRectFilled({low.x + ui.px(2), low.y + ui.px(4)}, {low.x + ui.px(10), low.y + ui.px(12)},
                     ui.u32(role_of(kernel_class)), ui.px(2));
  const FontScope mono(ui.fonts(), Face::mono, text_size::kTable);
  const std::string name = fit_text(row.name, ImGui::GetContentRegionAvail().x - ui.px(16));
  list.AddText({low.x + ui.px(15), low.y}, ui.u32(pinned ? Role::accent : Role::text), name.c_str());

  const Unit total = unit_for(table_.total_ns), each = unit_for(table_.rows.empty() ? 0 : [&] {
                                                  std::int64_t most = 0;
                                                  for (const view::KernelRow& other : table_.rows)
                                                    most = std::max(most, other.mean_ns);
                                                  return most;
                                                }());
  const auto number = [&](const std::string& text, Role role = Role::text) {
    ImGui::TableNextColumn();
    number_cell(ui, text.c_str(), role);
  };
  number(in_unit(row.total_ns, total));
  number(fmt::format("{:.1f}", row.share * 100));
  if (columns >= 4) number(view::format_count(row.calls), Role::text2);
  if (columns >= 5) number(in_unit(row.mean_ns, each));
  if (columns >= 6) number(in_unit(row.p50_ns, each), Role::text2);
  if (columns >= 7) number(in_unit(row.p95_ns, each), Role::text2);
  if (columns >= 8) number(in_unit(row.p99_ns, each), Role::text2);
  if (columns >= 9) {
    ImGui::TableNextColumn();
    draw_layers(context, row);
  }
}

// Titles of numbers end where the numbers do.
void KernelsPanel::draw_headers(Ui& ui, int columns) {
  ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(Role::text2));
  ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
  for (int column = 0; column < columns; ++column) {
    if (!ImGui::TableSetColumnIndex(column)) continue;
    const char* title = ImGui::TableGetColumnName(column);
    const bool is_number = column > 0 && column < 8;
    const bool has_arrow = (ImGui::TableGetColumnFlags(column) & ImGuiTableColumnFlags_IsSorted) != 0;
    const float spare = ImGui::GetContentRegionAvail().x - ImGui::CalcTextSize(title).x -
                        (has_arrow ? ImGui::GetFontSize() * 0.65F + ui.px(4) : 0);
    if (is_number && spare > 0) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + spare);
    ImGui::PushID(column);
    ImGui::TableHeader(title);
    ImGui::PopID();
  }
  ImGui::PopStyleColor();
}

void KernelsPanel::draw_table(PanelContext& context, float height) {
  Ui& ui = context.ui;
  // What there is no room for goes, from the right.
  const float room = ImGui::GetContentRegionAvail().x / ui.metrics().scale();
  const int columns = room >= 640   ? 9
                      : room >= 540 ? 8
                      : room >= 490 ? 7
                      : room >= 430 ? 6
                      : room >= 370 ? 5
                      : room >= 310 ? 4
                                    : 3;
  std::int64_t longest_mean = 0;
  for (const view::KernelRow& row : table_.rows) longest_mean = std::max(longest_mean, row.mean_ns);
  const Unit total = unit_for(table_.total_ns), each = unit_for(longest_mean);
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(ui.px(4), ui.px(1)));
  const std::string id = fmt::format("kernels{}", columns);  // each set of columns sorts for itself
  if (!ImGui::BeginTable(id.c_str(), columns,
                         ImGuiTableFlags_Sortable | ImGuiTableFlags_ScrollY | ImGuiTableFlags_RowBg |
                             ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_BordersInnerH,
                         {0, height})) {
    ImGui::PopStyleVar();
    return;
  }
  using Column = view::KernelColumn;
  const auto column = [&](const std::string& title, float width, Column key,
                          ImGuiTableColumnFlags flags = kNumber) {
    const ImGuiTableColumnFlags by_default =
        key == Column::total && title != "%" ? ImGuiTableColumnFlags_DefaultSort : 0;
    ImGui::TableSetupColumn(title.c_str(), flags | by_default, ui.px(width), static_cast<ImGuiID>(key));
  };
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn(by_ == 0 ? "Operation" : "Kernel", ImGuiTableColumnFlags_WidthStretch, 1.4F,
                          static_cast<ImGuiID>(Column::name));
  column(fmt::format("Total {}", total.name), 74, Column::total);
  column("%", 36, Column::total, ImGuiTableColumnFlags_WidthFixed | ImGuiTableColumnFlags_NoSort);
  if (columns >= 4) column("Calls", 50, Column::calls);
  if (columns >= 5) column(fmt::format("Mean {}", each.name), 58, Column::mean);
  if (columns >= 6) column("P50", 50, Column::p50);
  if (columns >= 7) column("P95", 50, Column::p95);
  if (columns >= 8) column("P99", 50, Column::p99);
  if (columns >= 9)
    ImGui::TableSetupColumn("by layer", ImGuiTableColumnFlags_WidthStretch | ImGuiTableColumnFlags_NoSort, 1);
  draw_headers(ui, columns);
  if (ImGuiTableSortSpecs* specs = ImGui::TableGetSortSpecs(); specs != nullptr && specs->SpecsDirty) {
    if (specs->SpecsCount > 0) {
      sorted_by_ = static_cast<Column>(specs->Specs[0].ColumnUserID);
      descending_ = specs->Specs[0].SortDirection == ImGuiSortDirection_Descending;
      sort_rows(table_, sorted_by_, descending_);
    }
    specs->SpecsDirty = false;
  }
  for (const view::KernelRow& row : table_.rows) draw_row(context, row, columns);
  ImGui::EndTable();
  ImGui::PopStyleVar();
}

std::string KernelsPanel::range_text(const PanelContext& context) const {
  const std::string step = view::format_count(shown_step(context.bench));
  switch (range_) {
    case Range::step:
      return "in step " + step;
    case Range::recent:
      return fmt::format("in {} steps up to {}",
                         std::min<engine::Step>(kRecentSteps, shown_step(context.bench) + 1), step);
    case Range::selection:
      return "in the selection";
    case Range::all:
      break;
  }
  return fmt::format("in all {} steps", view::format_count(context.bench.run().step_count()));
}

void KernelsPanel::draw_footer(PanelContext& context) {
  Ui& ui = context.ui;
  const std::int64_t dropped = context.bench.run().spans().dropped();
  const std::string text =
      fmt::format("{} {} {}, {} dropped", view::format_count(table_.calls), by_ == 0 ? "spans" : "kernels",
                  range_text(context), view::format_count(dropped));
  const float links = ui.px(150);
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const float room = ImGui::GetContentRegionAvail().x;
  ImGui::AlignTextToFramePadding();
  label(ui, fit_text(text, room - links).c_str(), dropped > 0 ? Role::warning : Role::text2, Face::ui,
        text_size::kCaption);
  ImGui::SameLine(std::max(0.0F, ImGui::GetCursorPosX() + room - links + ui.px(8)));
  if (button(ui, "Copy CSV", ButtonKind::link)) {
    ImGui::SetClipboardText(view::kernel_table_csv(table_).c_str());
    context.notices.add(NoticeLevel::info, "The kernel table is in the clipboard as CSV");
  }
  ImGui::SameLine(0, ui.px(2));
  if (button(ui, "Save CSV", ButtonKind::link)) save_csv(context.notices, view::kernel_table_csv(table_));
}

void KernelsPanel::draw(PanelContext& context) {
  Ui& ui = context.ui;
  const view::RunSnapshot& run = context.bench.run();
  if (run.spans().size() == 0) {
    empty_state(ui, "No kernel timings",
                context.bench.busy() ? "They come with the first step."
                                     : "This trace holds no timed operations: it was recorded without them.",
                nullptr);
    return;
  }
  colors_.update(run);
  refresh(context);
  draw_toolbar(context);
  const float foot = ui.px(28);
  const float height = std::max(ui.px(60), ImGui::GetContentRegionAvail().y - foot);
  if (range_ == Range::selection && !anything_selected(context.bench.selection())) {
    const float top = ImGui::GetCursorPosY();
    label(ui, "Nothing is selected: Ctrl-drag over tokens or over the timeline.", Role::text2, Face::ui,
          text_size::kTable);
    ImGui::SetCursorPosY(top + height);
  } else if (!has_table_) {
    label(ui, "computing…", Role::text2, Face::ui, text_size::kTable);
  } else if (table_.rows.empty()) {
    const float top = ImGui::GetCursorPosY();
    label(ui, "Nothing matches in this range.", Role::text2, Face::ui, text_size::kTable);
    ImGui::SetCursorPosY(top + height);
  } else {
    draw_table(context, height);
  }
  draw_footer(context);
}

}  // namespace app::gui
