#include "app/gui/shell/shortcut_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/gui/shell/chord.hpp"
#include "app/gui/widgets/controls.hpp"

namespace app::gui {

namespace {
constexpr const char* kName = "Shortcuts";

// What a panel does with keys of its own while it has the focus; the rest of the window does not see them.
struct PanelKeys {
  const char* panel;
  const char* what;
  const char* keys;
};
constexpr PanelKeys kPanelKeys[] = {
    {"Tuning", "Hold to show the run before (B) everywhere", "Space"},
    {"Tuning", "Less or more, on a slider", "Left, Right"},
    {"Map, Timeline", "Zoom in and out, move", "W, S, A, D"},
    {"Map, Timeline", "Focus the pin", "F"},
};

void draw_panel_keys(Ui& ui) {
  for (const PanelKeys& row : kPanelKeys) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    label(ui, row.panel, Role::text3, Face::ui, text_size::kTable);
    ImGui::TableNextColumn();
    label(ui, row.what, Role::text, Face::ui, text_size::kTable);
    ImGui::TableNextColumn();
    label(ui, row.keys, Role::text2, Face::mono, text_size::kCaption);
  }
}

}  // namespace

bool ShortcutSheet::record(Commands& commands, Notices& notices,
                           std::map<std::string, std::string>& changed) {
  const ImGuiKeyChord chord = pressed_chord();
  if (chord == 0) return false;
  const std::string id = std::exchange(recording_, {});
  if (chord == ImGuiKey_Escape) return false;
  if (!commands.remap(id, chord)) {
    notices.add(NoticeLevel::warning, fmt::format("{} belongs to '{}' already", chord_text(chord),
                                                  commands.with_chord(chord)->title));
    return false;
  }
  changed[id] = chord_text(chord);
  return true;
}

bool ShortcutSheet::draw(Ui& ui, Commands& commands, Notices& notices,
                         std::map<std::string, std::string>& changed) {
  if (std::exchange(opening_, false)) ImGui::OpenPopup(kName);
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  const ImVec2 size{std::min(ui.px(640), viewport.Size.x - ui.px(32)),
                    std::min(ui.px(620), viewport.Size.y - ui.px(64))};
  ImGui::SetNextWindowSize(size);
  ImGui::SetNextWindowPos(viewport.GetCenter(), ImGuiCond_Appearing, {0.5F, 0.5F});
  bool open = true;
  if (!ImGui::BeginPopupModal(kName, &open, ImGuiWindowFlags_NoResize)) {
    recording_.clear();
    return false;
  }
  bool remapped = is_recording() && record(commands, notices, changed);
  label(ui, "Press a shortcut's keys to change it.", Role::text2, Face::ui, text_size::kTable);
  ImGui::BeginChild("table", {0, -ui.px(height::kButton + 8)});
  if (ImGui::BeginTable("shortcuts", 3, ImGuiTableFlags_RowBg | ImGuiTableFlags_SizingStretchProp)) {
    ImGui::TableSetupColumn("Menu", 0, 0.2F);
    ImGui::TableSetupColumn("Command", 0, 0.55F);
    ImGui::TableSetupColumn("Keys", 0, 0.25F);
    for (const Command& command : commands.all()) {
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      label(ui, command.menu.c_str(), Role::text3, Face::ui, text_size::kTable);
      ImGui::TableNextColumn();
      label(ui, command.title.c_str(), Role::text, Face::ui, text_size::kTable);
      ImGui::TableNextColumn();
      const bool here = recording_ == command.id;
      const std::string keys = here ? "press keys…" : commands.keys(command.id);
      const FontScope font(ui.fonts(), Face::mono, text_size::kCaption);
      if (ImGui::SmallButton(fmt::format("{}##{}", keys.empty() ? "–" : keys, command.id).c_str())) {
        recording_ = here ? "" : command.id;
      }
    }
    draw_panel_keys(ui);
    ImGui::EndTable();
  }
  ImGui::EndChild();
  if (button(ui, "Defaults") && !changed.empty()) {
    for (const auto& [id, keys] : std::exchange(changed, {})) {
      const Command* command = commands.find(id);
      const auto chord = command == nullptr ? std::nullopt : parse_chord(command->keys);
      if (command != nullptr) commands.remap(id, chord.value_or(0));
    }
    remapped = true;
  }
  ImGui::SameLine();
  if (button(ui, "Close", ButtonKind::primary)) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
  return remapped;
}

}  // namespace app::gui
