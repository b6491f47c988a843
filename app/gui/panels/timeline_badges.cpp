// The badges over the kernel timeline: what its times come from, what that costs, what was lost.
#include <fmt/format.h>

#include <cmath>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/panels/timeline_drawing.hpp"
#include "app/gui/panels/timeline_panel.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

constexpr float kTextRoom = 340;     // of a tooltip
constexpr double kCostWarning = 25;  // percent, from which on times are hardly those of an unprofiled run

bool pointed(ImVec2 low, ImVec2 high) {
  return ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(low, high);
}

void paragraph(const Ui& ui, const std::string& text, Role role = Role::text2) {
  ImGui::PushTextWrapPos(ui.px(kTextRoom));
  label(ui, text.c_str(), role, Face::ui, text_size::kTable);
  ImGui::PopTextWrapPos();
}

}  // namespace

// Returns its width; 0: nothing was drawn for want of room.
float TimelinePanel::draw_badge(Ui& ui, ImDrawList& list, ImVec2 at, const std::string& text, Role role) {
  const float width = label_width(ui, text.c_str(), Face::ui, text_size::kCaption) + ui.px(10);
  list.AddRect({at.x, at.y - ui.px(1)}, {at.x + width, at.y + ui.px(15)}, ui.u32(Role::strong_line),
               ui.px(kControlRadius), 0, ui.px(1));
  label_at(ui, list, {at.x + ui.px(5), at.y}, text.c_str(), role, Face::ui, text_size::kCaption);
  drawn_item(("badge " + text).c_str(), {at.x, at.y - ui.px(1)}, {at.x + width, at.y + ui.px(15)});
  return width;
}

float TimelinePanel::draw_badges(PanelContext& context, ImDrawList& list, float left, float right, float y) {
  Ui& ui = context.ui;
  const view::StepRecord* step = shown_step(context.bench);
  struct Badge {
    std::string text;
    Role role;
  };
  const bool dear = facts_.cost_percent && *facts_.cost_percent > kCostWarning;
  const std::int64_t lost = view::lost_records(context.bench.run());
  const Badge badges[] = {
      {view::timer_text(facts_, step != nullptr ? step->step : 0),
       facts_.fall_backs.empty() ? Role::text2 : Role::warning},
      {view::cost_text(facts_), dear ? Role::warning : Role::text2},
      {lost > 0 ? view::format_count(lost) + " lost" : std::string(), Role::warning},
  };
  for (std::size_t i = 0; i < std::size(badges); ++i) {
    if (badges[i].text.empty()) continue;
    const float width = label_width(ui, badges[i].text.c_str(), Face::ui, text_size::kCaption) + ui.px(10);
    if (left + width > right) break;
    draw_badge(ui, list, {left, y}, badges[i].text, badges[i].role);
    if (pointed({left, y - ui.px(1)}, {left + width, y + ui.px(15)}) && facts_.on_gpu) {
      if (i == 2) {
        explain_losses(context);
      } else {
        explain_timers(ui);
      }
    }
    left += width + ui.px(6);
  }
  return left + ui.px(6);
}

void TimelinePanel::explain_timers(const Ui& ui) {
  ImGui::BeginTooltip();
  label(ui, "How kernels were timed", Role::text, Face::ui_strong, text_size::kTable);
  if (!facts_.changes.empty()) tooltip_line(ui, "profile", view::mode_text(facts_));
  if (facts_.copy_ceiling_gb_per_s)
    tooltip_line(ui, "copying", view::format_bandwidth(*facts_.copy_ceiling_gb_per_s));
  for (const std::string& why : facts_.fall_backs) paragraph(ui, why, Role::warning);
  if (!view::cost_text(facts_).empty()) paragraph(ui, view::cost_about(facts_));
  if (!facts_.copy_ceiling_gb_per_s)
    paragraph(ui, "The copy ceiling of this GPU was not measured: no share of it can be told.");
  ImGui::EndTooltip();
}

void TimelinePanel::explain_losses(PanelContext& context) {
  const Ui& ui = context.ui;
  ImGui::BeginTooltip();
  label(ui, "Records that were lost, or could not be used", Role::text, Face::ui_strong, text_size::kTable);
  for (const engine::RecordsLost& lost : context.bench.run().losses()) {
    if (lost.count <= 0) continue;
    label(ui, fmt::format("{} {}", view::format_count(lost.count), lost.what).c_str(), Role::text, Face::mono,
          text_size::kTable);
    paragraph(ui, lost.meaning);
  }
  ImGui::EndTooltip();
}

}  // namespace app::gui
