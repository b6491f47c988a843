#include "app/gui/shell/command_palette.hpp"

#include <imgui_stdlib.h>

#include <algorithm>

#include "app/gui/widgets/controls.hpp"

namespace app::gui {

namespace {
constexpr const char* kName = "Command palette";
}

void CommandPalette::draw_list(Ui& ui, const Commands& commands, std::string& chosen) {
  const auto found = commands.search(query_);
  const int last = std::max(0, static_cast<int>(found.size()) - 1);
  if (ImGui::IsKeyPressed(ImGuiKey_DownArrow)) ++cursor_;
  if (ImGui::IsKeyPressed(ImGuiKey_UpArrow)) --cursor_;
  cursor_ = std::clamp(cursor_, 0, last);
  ImGui::BeginChild("commands", {0, ui.px(320)});
  for (int index = 0; index < static_cast<int>(found.size()); ++index) {
    const Command& command = *found[static_cast<std::size_t>(index)];
    const bool enabled = commands.is_enabled(command);
    ImGui::BeginDisabled(!enabled);
    if (ImGui::Selectable(command.title.c_str(), index == cursor_, 0, {0, ui.px(22)})) chosen = command.id;
    ImGui::EndDisabled();
    if (index == cursor_ &&
        (ImGui::IsKeyPressed(ImGuiKey_DownArrow) || ImGui::IsKeyPressed(ImGuiKey_UpArrow))) {
      ImGui::SetScrollHereY();
    }
    const std::string keys = commands.keys(command.id);
    const std::string aside = keys.empty() ? command.menu : keys;
    ImGui::SameLine(ImGui::GetContentRegionMax().x -
                    label_width(ui, aside.c_str(), Face::mono, text_size::kCaption) - ui.px(8));
    label(ui, aside.c_str(), Role::text3, Face::mono, text_size::kCaption);
  }
  if (found.empty()) label(ui, "No command has all of these words.", Role::text2);
  ImGui::EndChild();
  if (ImGui::IsKeyPressed(ImGuiKey_Enter) && !found.empty()) {
    const Command& command = *found[static_cast<std::size_t>(cursor_)];
    if (commands.is_enabled(command)) chosen = command.id;
  }
}

void CommandPalette::draw(Ui& ui, const Commands& commands) {
  if (opening_) {
    opening_ = false;
    query_.clear();
    cursor_ = 0;
    ImGui::OpenPopup(kName);
  }
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  const float width = std::min(ui.px(560), viewport.Size.x - ui.px(32));
  ImGui::SetNextWindowPos({viewport.Pos.x + (viewport.Size.x - width) / 2, viewport.Pos.y + ui.px(96)});
  ImGui::SetNextWindowSize({width, 0});
  if (!ImGui::BeginPopup(kName)) return;
  if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();
  ImGui::SetNextItemWidth(-1);
  if (ImGui::InputTextWithHint("##query", "Type a command", &query_)) cursor_ = 0;
  std::string chosen;
  draw_list(ui, commands, chosen);
  if (!chosen.empty()) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
  // After the popup has closed: the command may open another one.
  if (!chosen.empty()) commands.run(chosen);
}

}  // namespace app::gui
