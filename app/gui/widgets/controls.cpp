#include "app/gui/widgets/controls.hpp"

#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/gui/fonts/icons.hpp"

namespace app::gui {

namespace {

// An invisible item of this size at the cursor that behaves as a button.
struct Item {
  bool pressed, hovered, held;
  ImVec2 low, high;
};

Item item(const char* id, ImVec2 size) {
  Item result{};
  result.pressed = ImGui::InvisibleButton(id, size, ImGuiButtonFlags_EnableNav);
  result.hovered = ImGui::IsItemHovered() || ImGui::IsItemFocused();
  result.held = ImGui::IsItemActive();
  result.low = ImGui::GetItemRectMin();
  result.high = ImGui::GetItemRectMax();
  return result;
}

ImVec2 centred(ImVec2 low, ImVec2 high, ImVec2 size) {
  return {std::round((low.x + high.x - size.x) / 2), std::round((low.y + high.y - size.y) / 2)};
}

}  // namespace

bool segmented(Ui& ui, const char* id, std::span<const char* const> names, int& chosen) {
  ImGui::PushID(id);
  bool changed = false;
  const float top = ImGui::GetCursorPosY();  // a menu bar would align baselines instead
  for (int index = 0; index < static_cast<int>(names.size()); ++index) {
    if (index > 0) ImGui::SameLine(0, ui.px(4));
    ImGui::SetCursorPosY(top);
    const char* name = names[static_cast<std::size_t>(index)];
    const bool on = index == chosen;
    const FontScope font(ui.fonts(), on ? Face::ui_strong : Face::ui, text_size::kTable);
    const ImVec2 text = ImGui::CalcTextSize(name);
    const Item part = item(name, {text.x + ui.px(20), ui.px(20)});
    ImDrawList& list = *ImGui::GetWindowDrawList();
    if (part.hovered || on)
      list.AddRectFilled(part.low, part.high, ui.u32(Role::raised), ui.px(kControlRadius));
    if (on) list.AddRect(part.low, part.high, ui.u32(Role::accent), ui.px(kControlRadius), 0, ui.px(1));
    list.AddText(centred(part.low, part.high, text), ui.u32(on ? Role::accent : Role::text2), name);
    if (part.pressed && !on) {
      chosen = index;
      changed = true;
    }
  }
  ImGui::PopID();
  return changed;
}

void toolbar_caption(Ui& ui, float top, const std::string& text) {
  ImGui::SameLine(0, ui.px(10));
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  ImGui::SetCursorPosY(top + std::round((ui.px(height::kToolbarControl) - ImGui::GetTextLineHeight()) / 2));
  const std::string fitted = fit_text(text, std::max(ui.px(20), ImGui::GetContentRegionAvail().x));
  label(ui, fitted.c_str(), Role::text2, Face::ui, text_size::kCaption);
}

bool button(Ui& ui, const char* label, ButtonKind kind, ImVec2 size) {
  const bool primary = kind == ButtonKind::primary, link = kind == ButtonKind::link;
  const FontScope font(ui.fonts(), link || primary ? Face::ui_strong : Face::ui,
                       link ? text_size::kTable : text_size::kBody);
  const Color base = primary ? ui.color(Role::accent) : ui.color(Role::raised);
  ImGui::PushStyleColor(ImGuiCol_Button, link ? 0 : to_u32(base));
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered,
                        link ? ui.u32(Role::raised) : to_u32(mix(base, ui.color(Role::text), 0.15)));
  ImGui::PushStyleColor(ImGuiCol_ButtonActive, to_u32(mix(base, ui.color(Role::text), 0.3)));
  ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(primary ? Role::on_accent : link ? Role::accent : Role::text));
  if (size.y == 0 && !link) size.y = ui.px(height::kButton);
  const bool pressed = link ? ImGui::SmallButton(label) : ImGui::Button(label, size);
  ImGui::PopStyleColor(4);
  return pressed;
}

bool icon_button(Ui& ui, const char* icon, const char* tooltip, ImVec2 size, bool enabled) {
  if (!enabled) ImGui::BeginDisabled();
  const Item part = item(tooltip, size);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(part.low, part.high, ui.u32(enabled && part.hovered ? Role::line : Role::raised),
                     ui.px(kControlRadius));
  const FontScope font(ui.fonts(), Face::ui, text_size::kBody);
  list.AddText(centred(part.low, part.high, ImGui::CalcTextSize(icon)),
               ui.u32(enabled ? Role::text : Role::text3), icon);
  if (!enabled) ImGui::EndDisabled();
  // What follows "##" is for the item's id alone.
  const char* end = ImGui::FindRenderedTextEnd(tooltip);
  ImGui::SetItemTooltip("%.*s", static_cast<int>(end - tooltip), tooltip);
  return part.pressed && enabled;
}

float chip_width(const Ui& ui, const char* text, bool dot) {
  return label_width(ui, text, Face::ui, text_size::kCaption) + ui.px(dot ? 22 : 12);
}

bool chip(Ui& ui, const char* text, const Role* dot, bool icon_only) {
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const ImVec2 size = ImGui::CalcTextSize(text);
  const float width = icon_only ? ui.px(20) : chip_width(ui, text, dot != nullptr);
  const Item part = item(text, {width, ui.px(18)});
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(part.low, part.high, ui.u32(part.hovered ? Role::raised : Role::app),
                     ui.px(kControlRadius));
  list.AddRect(part.low, part.high, ui.u32(Role::line), ui.px(kControlRadius), 0, ui.px(1));
  const float middle = (part.low.y + part.high.y) / 2;
  float x = part.low.x + ui.px(6);
  if (dot != nullptr) {
    list.AddCircleFilled({x + ui.px(4), middle}, ui.px(3), ui.u32(*dot));
    x += ui.px(11);
  }
  if (!icon_only) list.AddText({x, std::round(middle - size.y / 2)}, ui.u32(Role::text2), text);
  return part.pressed;
}

bool begin_combo(Ui&, const char* id, const char* shown) {
  return ImGui::BeginCombo(id, shown, ImGuiComboFlags_NoArrowButton);
}

void end_combo(Ui& ui, bool open) {
  if (open) ImGui::EndCombo();
  const ImVec2 low = ImGui::GetItemRectMin(), high = ImGui::GetItemRectMax();
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  const ImVec2 caret = ImGui::CalcTextSize(icon::kCaretDown);
  const float left = high.x - caret.x - ui.px(7);
  // A long name ends before the caret.
  if (left > low.x)
    ImGui::GetWindowDrawList()->AddText({left, std::round((low.y + high.y - caret.y) / 2)},
                                        ui.u32(Role::text3), icon::kCaretDown);
}

namespace {

int choose(Ui& ui, const char* id, const char* shown, std::span<const char* const> names, int chosen) {
  const bool open = begin_combo(ui, id, shown);
  for (int index = 0; open && index < static_cast<int>(names.size()); ++index) {
    if (ImGui::Selectable(names[static_cast<std::size_t>(index)], index == chosen)) chosen = index;
    if (index == chosen) ImGui::SetItemDefaultFocus();
  }
  end_combo(ui, open);
  return chosen;
}

}  // namespace

bool combo(Ui& ui, const char* id, int& chosen, std::span<const char* const> names) {
  const int before =
      std::exchange(chosen, choose(ui, id, names[static_cast<std::size_t>(chosen)], names, chosen));
  return chosen != before;
}

int dropdown(Ui& ui, const char* id, const char* before, std::span<const char* const> names, int chosen,
             float width) {
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  ImGui::PushStyleVar(
      ImGuiStyleVar_FramePadding,
      ImVec2(ui.px(7), std::round((ui.px(height::kToolbarControl) - ImGui::GetFontSize()) / 2)));
  ImGui::SetNextItemWidth(width);
  const float caret = ImGui::CalcTextSize(icon::kCaretDown).x + ui.px(7);
  const std::string name = before + std::string(names[static_cast<std::size_t>(chosen)]);
  chosen = choose(ui, id, fit_text(name, width - caret - ui.px(10)).c_str(), names, chosen);
  ImGui::PopStyleVar();
  return chosen;
}

void key_caps(Ui& ui, const char* keys) {
  const FontScope font(ui.fonts(), Face::mono, text_size::kCaption);
  const ImVec2 text = ImGui::CalcTextSize(keys);
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const ImVec2 high{low.x + text.x + ui.px(8), low.y + text.y + ui.px(2)};
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(low, high, ui.u32(Role::header), ui.px(kControlRadius));
  list.AddRect(low, high, ui.u32(Role::strong_line), ui.px(kControlRadius), 0, ui.px(1));
  list.AddText({low.x + ui.px(4), low.y + ui.px(1)}, ui.u32(Role::text2), keys);
  ImGui::Dummy({high.x - low.x, high.y - low.y});
}

void swatch(Ui& ui, Role state, float side) {
  const float length = ui.px(side);
  ImVec2 low = ImGui::GetCursorScreenPos();
  low.y += std::round((ImGui::GetTextLineHeight() - length) / 2);
  const ImVec2 high{low.x + length, low.y + length};
  paint_swatch(ui, *ImGui::GetWindowDrawList(), state, low, high);
  ImGui::Dummy({length, ImGui::GetTextLineHeight()});
}

void paint_swatch(Ui& ui, ImDrawList& list, Role state, ImVec2 low, ImVec2 high) {
  list.AddRectFilled(low, high, ui.u32(state), ui.px(2));
  if (state == Role::doomed) ui.hatch().fill(list, low, high, ui.color(Role::doomed_hatch), ui.metrics());
  if (state == Role::evicted) list.AddRect(low, high, ui.u32(Role::strong_line), ui.px(2), 0, ui.px(1));
}

void number_cell(const Ui& ui, const char* text, Role role) {
  const float width = label_width(ui, text, Face::mono, text_size::kTable);
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, ImGui::GetContentRegionAvail().x - width));
  label(ui, text, role, Face::mono, text_size::kTable);
}

bool empty_state(Ui& ui, const char* title, const char* reason, const char* action) {
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float wrap = std::min(room.x - ui.px(32), ui.px(420));
  if (wrap < ui.px(60)) return false;
  const ImVec2 reason_size = ImGui::CalcTextSize(reason, nullptr, false, wrap);
  const float content = ui.px(22) + reason_size.y + (action == nullptr ? 0 : ui.px(height::kButton + 8));
  const float left = ImGui::GetCursorPosX();
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + std::max(ui.px(8), (room.y - content) / 2.4F));
  const auto centre = [&](float width) { ImGui::SetCursorPosX(left + std::round((room.x - width) / 2)); };
  centre(label_width(ui, title, Face::ui_strong, text_size::kBody));
  label(ui, title, Role::text, Face::ui_strong);
  centre(reason_size.x);
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + wrap);
  label(ui, reason, Role::text2);
  ImGui::PopTextWrapPos();
  if (action == nullptr) return false;
  centre(label_width(ui, action, Face::ui, text_size::kBody) + ui.px(16));
  return button(ui, action);
}

}  // namespace app::gui
