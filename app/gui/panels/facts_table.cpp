#include "app/gui/panels/facts_table.hpp"

#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/glossary.hpp"

namespace app::gui {

bool begin_facts(Ui& ui, const char* id, float name_width) {
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(ui.px(4), ui.px(1)));
  if (!ImGui::BeginTable(id, 2, ImGuiTableFlags_NoSavedSettings)) {
    ImGui::PopStyleVar();
    return false;
  }
  ImGui::TableSetupColumn("name", ImGuiTableColumnFlags_WidthFixed, ui.px(name_width));
  ImGui::TableSetupColumn("value", ImGuiTableColumnFlags_WidthStretch);
  return true;
}

void end_facts() {
  ImGui::EndTable();
  ImGui::PopStyleVar();
}

void fact_text(Ui& ui, const char* name, const std::string& value, Role role) {
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  label(ui, name, Role::text2, Face::ui, text_size::kTable);
  glossary_tip(ui, name);
  ImGui::TableNextColumn();
  ImGui::PushTextWrapPos(0);
  label(ui, value.c_str(), role, Face::ui, text_size::kTable);
  ImGui::PopTextWrapPos();
}

void fact_number(Ui& ui, const char* name, const std::string& value, Role role) {
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  label(ui, name, Role::text2, Face::ui, text_size::kTable);
  glossary_tip(ui, name);
  ImGui::TableNextColumn();
  number_cell(ui, value.c_str(), role);
}

void facts_heading(Ui& ui, const char* title, const std::string& about) {
  ImGui::Dummy({0, ui.px(2)});
  label(ui, title, Role::text, Face::ui_strong, text_size::kTable);
  if (about.empty()) return;
  ImGui::SameLine(0, ui.px(8));
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  label(ui, fit_text(about, ImGui::GetContentRegionAvail().x).c_str(), Role::text3, Face::ui,
        text_size::kCaption);
}

}  // namespace app::gui
