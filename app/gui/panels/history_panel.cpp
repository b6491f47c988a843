#include "app/gui/panels/history_panel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/printable.hpp"
#include "app/view/run_curves.hpp"

namespace app::gui {

void HistoryPanel::draw(PanelContext& context) {
  Workbench& bench = context.bench;
  const auto pinned = bench.selection().token;
  if (!pinned) {
    empty_state(
        context.ui, "No token is pinned",
        "Click a token in the text or in the eviction map to see which heads kept it, which dropped it, when "
        "and why.",
        nullptr);
    return;
  }
  if (*pinned > bench.position()) {
    const std::string reason = fmt::format("Token {} comes later than the step that is shown, {}.",
                                           view::format_token(*pinned), view::format_count(bench.position()));
    const bool later = *pinned < bench.positions();
    if (empty_state(context.ui, "Not there yet", reason.c_str(), later ? "Go to where it comes" : nullptr))
      bench.go_to(*pinned);
    return;
  }
  update(bench, *pinned);
  draw_summary(context, *pinned);
  const auto count = [](const auto& rows) {
    return view::format_count(static_cast<std::int64_t>(rows.size()));
  };
  const bool window = bench.position() - *pinned <= bench.cache().window() && bench.cache().closed_form();
  draw_group(context, "holding", fmt::format("{} by {}", window ? "Held" : "Kept", count(history_.holding)),
             window ? Role::window : Role::kept, history_.holding, false);
  draw_group(context, "evicted", fmt::format("Evicted by {}", count(history_.evicted)), Role::evicted,
             history_.evicted, true);
}

void HistoryPanel::update(Workbench& bench, std::int32_t token) {
  const Key key{bench.run().version(), bench.run().run_id(), token, bench.position(), bench.sequence().id()};
  if (key == key_) return;
  key_ = key;
  history_ = view::token_history(bench.cache(), token, bench.position());
}

void HistoryPanel::draw_summary(PanelContext& context, std::int32_t token) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  const std::string text = fmt::format("\u201c{}\u201d", view::printable(bench.sequence().token(token).text));
  {
    const FontScope font(ui.fonts(), Face::ui_strong, text_size::kBody);
    const std::string fitted = fit_text(text, ImGui::GetContentRegionAvail().x * 0.5F);
    label(ui, fitted.c_str(), Role::text, Face::ui_strong);
  }
  ImGui::SameLine(0, ui.px(8));
  const bool prompt = token < view::prompt_positions(bench.sequence());
  label(ui, fmt::format("{} {}", view::format_token(token), prompt ? "prompt" : "output").c_str(),
        Role::text2, Face::ui, text_size::kTable);
  const std::int32_t heads = bench.cache().heads();
  const view::TokenDates dates = bench.cache().dates(0, token);
  std::string line = fmt::format("At step {}: held by {} of {} heads in {} of {} layers",
                                 view::format_count(bench.position()), history_.holding.size(), heads,
                                 history_.layers_holding, bench.run().layers());
  if (history_.doomed > 0) line += fmt::format(", doomed in {}", history_.doomed);
  std::string life = fmt::format("Born at {}", view::format_token(token));
  if (bench.cache().closed_form())
    life += fmt::format(", decided at {}, leaves the window of {} at {}", view::format_token(dates.decided),
                        view::format_count(bench.cache().window()),
                        view::format_token(token + bench.cache().window() + 1));
  ImGui::PushTextWrapPos(0);
  label(ui, (line + ".").c_str(), Role::text2, Face::ui, text_size::kTable);
  label(ui, (life + ".").c_str(), Role::text2, Face::ui, text_size::kTable);
  if (const auto pinned = bench.selection().head) {
    const auto is_pinned = [&](const view::HeadFate& fate) { return fate.head == *pinned; };
    for (const auto* rows : {&history_.holding, &history_.evicted}) {
      const auto fate = std::find_if(rows->begin(), rows->end(), is_pinned);
      if (fate == rows->end()) continue;
      const std::string why = fmt::format("{}: {}.", view::format_head(pinned->layer, pinned->kv_head),
                                          view::fate_reason(*fate, bench.cache().closed_form()));
      label(ui, why.c_str(), Role::accent, Face::ui, text_size::kTable);
    }
  }
  ImGui::PopTextWrapPos();
}

void HistoryPanel::draw_group(PanelContext& context, const char* id, const std::string& title, Role color,
                              const std::vector<view::HeadFate>& rows, bool evicted) {
  Ui& ui = context.ui;
  ImGui::Dummy({0, ui.px(2)});
  swatch(ui, color);
  ImGui::SameLine(0, ui.px(6));
  label(ui, title.c_str(), Role::text, Face::ui_strong, text_size::kTable);
  if (rows.empty()) return;
  // Both groups share the panel: each gets its rows, or half of the height.
  const float row = ui.px(height::kTableRow), room = ImGui::GetContentRegionAvail().y;
  const float wanted = row * (static_cast<float>(rows.size()) + 1) + ui.px(6);
  const float share =
      evicted || history_.evicted.empty()
          ? room
          : std::max(room * 0.5F, room - (static_cast<float>(history_.evicted.size()) + 2.5F) * row);
  const float tall = std::min(wanted, share);
  if (tall < row * 2) return;
  const ImGuiTableFlags flags =
      ImGuiTableFlags_ScrollY | ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_NoPadOuterX;
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(ui.px(4), ui.px(1)));
  if (ImGui::BeginTable(id, 5, flags, {0, tall})) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("head", 0, 62);
    ImGui::TableSetupColumn("logit", 0, 44);
    ImGui::TableSetupColumn("margin", 0, 44);
    ImGui::TableSetupColumn("decided", 0, 52);
    ImGui::TableSetupColumn(evicted ? "left" : "leaves", 0, 52);
    {
      const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
      ImGui::TableHeadersRow();
    }
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(rows.size()), row);
    while (clipper.Step()) {
      for (int index = clipper.DisplayStart; index < clipper.DisplayEnd; ++index)
        draw_row(context, rows[static_cast<std::size_t>(index)], evicted);
    }
    ImGui::EndTable();
  }
  ImGui::PopStyleVar();
}

void HistoryPanel::draw_row(PanelContext& context, const view::HeadFate& fate, bool evicted) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  const view::Head head = fate.head;
  ImGui::TableNextRow(0, ui.px(height::kTableRow));
  ImGui::PushID(head.layer * 4096 + head.kv_head);
  ImGui::TableNextColumn();
  const bool pinned = bench.selection().head == head;
  const std::string name = view::format_head(head.layer, head.kv_head);
  if (ImGui::Selectable("##row", pinned,
                        ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap))
    bench.select(view::pin_head(bench.selection(), head));
  // What is pointed at elsewhere has the same tint as what is pointed at here.
  const bool hovered = bench.hover().head == head;
  if (hovered && !pinned) ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg1, ui.u32(Role::raised));
  if (pinned || bench.selection().heads.contains(head)) {
    const ImVec2 low = ImGui::GetItemRectMin(), high = ImGui::GetItemRectMax();
    ImGui::GetWindowDrawList()->AddRectFilled(low, {low.x + ui.px(3), high.y}, ui.u32(Role::accent));
  }
  if (ImGui::IsItemHovered()) {
    bench.next_hover().head = head;
    bench.next_hover().layer = head.layer;
    bench.next_hover().token = bench.selection().token;
    ImGui::SetTooltip("%s: %s", name.c_str(), view::fate_reason(fate, bench.cache().closed_form()).c_str());
  }
  drawn_item(name.c_str(), ImGui::GetItemRectMin(), ImGui::GetItemRectMax());
  ImGui::SameLine(0, ui.px(6));
  label(ui, name.c_str(), pinned ? Role::accent : Role::text, Face::mono, text_size::kTable);
  ImGui::TableNextColumn();
  number_cell(ui, fate.logit ? view::format_logit(*fate.logit).c_str() : view::kNotApplicable);
  ImGui::TableNextColumn();
  const std::string margin =
      fate.margin ? fmt::format("{}{}", *fate.margin > 0 ? "+" : "", view::format_logit(*fate.margin))
                  : std::string(view::kNotApplicable);
  number_cell(ui, margin.c_str(), fate.margin && *fate.margin > 0 ? Role::doomed_text : Role::text2);
  const auto go = [&](const char* id, std::int32_t position, bool known) {
    ImGui::TableNextColumn();
    if (!known) return number_cell(ui, view::kNotApplicable, Role::text3);
    const std::string text = view::format_count(position);
    const FontScope font(ui.fonts(), Face::mono, text_size::kTable);
    const float width = ImGui::CalcTextSize(text.c_str()).x;
    ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, ImGui::GetContentRegionAvail().x - width));
    const bool there = position < bench.positions();
    ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(there ? Role::accent : Role::text3));
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(0, 0));
    ImGui::PushStyleColor(ImGuiCol_Button, 0);
    ImGui::PushID(id);
    ImGui::BeginDisabled(!there);
    if (ImGui::SmallButton(text.c_str())) bench.go_to(position);
    ImGui::EndDisabled();
    if (there) ImGui::SetItemTooltip("Go to step %s", text.c_str());
    ImGui::PopID();
    ImGui::PopStyleVar();
    ImGui::PopStyleColor(2);
  };
  go("decided", fate.dates.decided, fate.decided);
  const bool leaves = bench.cache().closed_form() ? fate.state != view::TokenState::undecided : evicted;
  go("leaves", fate.dates.leaves, leaves);
  ImGui::PopID();
}

}  // namespace app::gui
