#include "app/gui/shell/tour.hpp"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <utility>

#include "app/gui/widgets/controls.hpp"

namespace app::gui {

namespace {

constexpr float kWidth = 340;
constexpr const char* kName = "##tour";

// In words that hold for every theme and palette.
constexpr std::array kStops{
    TourStop{
        "What each head remembers",
        "One row is a KV head, one column a token, and the colour is its state: kept for good, in the newest "
        "window, doomed (marked, about to leave) or evicted. Point at a cell to read why.",
        "map"},
    TourStop{"Any moment of the run",
             "Drag the scrubber, or press Left and Right: every panel shows the cache as it was. Space "
             "plays, L goes "
             "back to the newest token.",
             ""},
    TourStop{"Who holds a word",
             "The stronger its background, the more heads still hold a word; what is underlined is marked in "
             "some head. "
             "Click a word to pin it: every panel marks it, and History lists all heads.",
             "text"},
    TourStop{"What that saves",
             "Logical is what live slots need, allocated the pages really held, dense the cache without "
             "eviction. Each "
             "meter is a head: click one to see its pages.",
             "occupancy"},
    TourStop{"Who leaves next",
             "The newest tokens by age. What reaches the right edge doomed is evicted with the next token, "
             "and its slot "
             "is used again.",
             "lens"},
    TourStop{
        "What if it kept less?",
        "Drag the threshold: every panel shows a preview at once. Verify runs it for real and measures the "
        "quality. The command palette (View menu) finds everything else.",
        "tuning"},
};

// Beside the part it is about where there is room, else over its middle.
ImVec2 card_place(const Ui& ui, const TourArea& area, ImVec2 screen, float width, float height) {
  const float gap = ui.px(12);
  ImVec2 at{area.high.x + gap, area.low.y + gap};
  if (at.x + width + gap > screen.x) at.x = area.low.x - width - gap;
  if (at.x < gap) at = {(area.low.x + area.high.x - width) / 2, area.high.y + gap};
  if (at.y + height + gap > screen.y) at.y = (area.low.y + area.high.y - height) / 2;
  return {std::clamp(at.x, gap, std::max(gap, screen.x - width - gap)),
          std::clamp(at.y, gap, std::max(gap, screen.y - height - gap))};
}

}  // namespace

std::span<const TourStop> tour_stops() {
  return kStops;
}

std::string Tour::panel_to_show() {
  if (!active() || shown_ == at_) return {};
  shown_ = at_;
  return kStops[static_cast<std::size_t>(at_)].panel;
}

void Tour::go(int stop) {
  at_ = stop < static_cast<int>(kStops.size()) ? std::max(0, stop) : -1;
}

void Tour::draw(Ui& ui, const std::optional<TourArea>& area) {
  if (!active()) {
    shown_ = -1;
    return;
  }
  if (ImGui::IsKeyPressed(ImGuiKey_Escape, false)) return end();
  const ImVec2 screen = ImGui::GetMainViewport()->Size;
  const float width = std::min(ui.px(kWidth), screen.x - ui.px(24));
  if (area) {
    ImGui::GetForegroundDrawList()->AddRect(area->low, area->high, ui.u32(Role::accent), ui.px(kCardRadius),
                                            0, ui.px(2));
  }
  const ImGuiWindow* before = ImGui::FindWindowByName(kName);
  const float height = before == nullptr ? ui.px(150) : before->Size.y;
  draw_card(ui, card_place(ui, area.value_or(TourArea{screen, screen}), screen, width, height), width);
}

void Tour::draw_card(Ui& ui, ImVec2 at, float width) {
  const TourStop& stop = kStops[static_cast<std::size_t>(at_)];
  ImGui::SetNextWindowPos(at);
  ImGui::SetNextWindowSize({width, 0});
  ImGui::PushStyleColor(ImGuiCol_WindowBg, ui.u32(Role::raised));
  ImGui::PushStyleColor(ImGuiCol_Border, ui.u32(Role::accent));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(ui.px(16), ui.px(12)));
  ImGui::Begin(kName, nullptr,
               ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoMove |
                   ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoFocusOnAppearing |
                   ImGuiWindowFlags_AlwaysAutoResize);
  ImGui::BringWindowToDisplayFront(ImGui::GetCurrentWindow());
  label(ui, stop.title, Role::text, Face::ui_bold, 16);
  ImGui::PushTextWrapPos(width - ui.px(16));
  label(ui, stop.text, Role::text2);
  ImGui::PopTextWrapPos();
  ImGui::Dummy({0, ui.px(4)});
  const int last = static_cast<int>(kStops.size()) - 1;
  int next = at_;
  if (button(ui, at_ == last ? "Done" : "Next", ButtonKind::primary, {ui.px(72), 0})) ++next;
  ImGui::SameLine();
  ImGui::BeginDisabled(at_ == 0);
  if (button(ui, "Back", ButtonKind::plain, {ui.px(64), 0})) --next;
  ImGui::EndDisabled();
  ImGui::SameLine();
  ImGui::AlignTextToFramePadding();
  label(ui, fmt::format("{} of {}", at_ + 1, last + 1).c_str(), Role::text3, Face::ui, text_size::kTable);
  if (at_ < last) {
    const float skip = label_width(ui, "Skip", Face::ui_strong, text_size::kTable) + ui.px(16);
    ImGui::SameLine(width - ui.px(16) - skip);
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() + ui.px(4));
    if (button(ui, "Skip", ButtonKind::link)) next = last + 1;
  }
  ImGui::End();
  ImGui::PopStyleVar();
  ImGui::PopStyleColor(2);
  if (next != at_) go(next);
}

}  // namespace app::gui
