#include "app/gui/shell/glossary_sheet.hpp"

#include <algorithm>
#include <utility>

#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/glossary.hpp"

namespace app::gui {

void GlossarySheet::draw(Ui& ui) {
  constexpr const char* kName = "Glossary";
  if (std::exchange(opening_, false)) ImGui::OpenPopup(kName);
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  ImGui::SetNextWindowSize(
      {std::min(ui.px(640), viewport.Size.x - ui.px(32)), std::min(ui.px(620), viewport.Size.y - ui.px(64))});
  ImGui::SetNextWindowPos(viewport.GetCenter(), ImGuiCond_Appearing, {0.5F, 0.5F});
  bool open = true;
  if (!ImGui::BeginPopupModal(kName, &open, ImGuiWindowFlags_NoResize)) return;
  label(ui, "Point at one of these words anywhere in the window to read this.", Role::text2, Face::ui,
        text_size::kTable);
  ImGui::BeginChild("words", {0, -ui.px(height::kButton + 8)});
  if (ImGui::BeginTable("glossary", 2, ImGuiTableFlags_RowBg)) {
    ImGui::TableSetupColumn("word", ImGuiTableColumnFlags_WidthFixed, ui.px(110));
    ImGui::TableSetupColumn("meaning", ImGuiTableColumnFlags_WidthStretch);
    for (const GlossaryEntry& entry : glossary()) {
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      label(ui, entry.word, Role::text, Face::ui_strong, text_size::kTable);
      ImGui::TableNextColumn();
      ImGui::PushTextWrapPos(0);
      label(ui, entry.meaning, Role::text2, Face::ui, text_size::kTable);
      ImGui::PopTextWrapPos();
    }
    ImGui::EndTable();
  }
  ImGui::EndChild();
  if (button(ui, "Close", ButtonKind::primary)) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
}

}  // namespace app::gui
