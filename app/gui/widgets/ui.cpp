#include "app/gui/widgets/ui.hpp"

namespace app::gui {

void label(const Ui& ui, const char* text, Role role, Face face, float em) {
  const FontScope font(ui.fonts(), face, em);
  ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(role));
  ImGui::TextUnformatted(text);
  ImGui::PopStyleColor();
}

float label_width(const Ui& ui, const char* text, Face face, float em) {
  const FontScope font(ui.fonts(), face, em);
  return ImGui::CalcTextSize(text).x;
}

float label_at(const Ui& ui, ImDrawList& list, ImVec2 at, const char* text, Role role, Face face, float em) {
  const FontScope font(ui.fonts(), face, em);
  list.AddText(at, ui.u32(role), text);
  return ImGui::CalcTextSize(text).x;
}

}  // namespace app::gui
