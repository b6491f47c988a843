#include "app/gui/shell/settings_dialog.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "app/gui/widgets/controls.hpp"

namespace app::gui {

namespace {

constexpr const char* kName = "Settings";
constexpr std::array<double, 7> kScales{0, 1, 1.25, 1.5, 2, 2.5, 3};

void row(Ui& ui, const char* name) {
  ImGui::AlignTextToFramePadding();
  label(ui, name, Role::text2);
  ImGui::SameLine(ui.px(130));
}

bool scale_choice(Ui& ui, Settings& settings, float monitor_scale) {
  const auto text = [&](double scale) {
    return scale == 0 ? fmt::format("monitor ({:.0f} %)", 100.0 * static_cast<double>(monitor_scale))
                      : fmt::format("{:.0f} %", 100 * scale);
  };
  bool changed = false;
  ImGui::SetNextItemWidth(ui.px(180));
  const bool open = begin_combo(ui, "##scale", text(settings.scale).c_str());
  for (const double scale : open ? std::span<const double>(kScales) : std::span<const double>()) {
    if (ImGui::Selectable(text(scale).c_str(), std::abs(scale - settings.scale) < 1e-6)) {
      settings.scale = scale;
      changed = true;
    }
  }
  end_combo(ui, open);
  return changed;
}

}  // namespace

bool SettingsDialog::draw(Ui& ui, Settings& settings, float monitor_scale) {
  if (std::exchange(opening_, false)) ImGui::OpenPopup(kName);
  ImGui::SetNextWindowPos(ImGui::GetMainViewport()->GetCenter(), ImGuiCond_Appearing, {0.5F, 0.5F});
  bool open = true;
  if (!ImGui::BeginPopupModal(kName, &open, ImGuiWindowFlags_AlwaysAutoResize)) return false;
  bool changed = false;
  int theme = static_cast<int>(settings.theme), palette = static_cast<int>(settings.palette);
  constexpr std::array kThemes{"Dark", "Light"};
  constexpr std::array kPalettes{"Blue and orange", "Violet and yellow"};
  row(ui, "Theme");
  changed |= segmented(ui, "theme", kThemes, theme);
  row(ui, "Palette");
  changed |= segmented(ui, "palette", kPalettes, palette);
  settings.theme = static_cast<ThemeKind>(theme);
  settings.palette = static_cast<Palette>(palette);
  row(ui, "");
  for (const Role role : {Role::kept, Role::window, Role::doomed, Role::evicted}) {
    swatch(ui, role);
    ImGui::SameLine();
  }
  label(ui, "both are colour-blind safe", Role::text3, Face::ui, text_size::kCaption);
  row(ui, "Scale");
  changed |= scale_choice(ui, settings, monitor_scale);
  row(ui, "File dialogs");
  changed |= ImGui::Checkbox("the desktop's own, where there is one", &settings.native_dialogs);
  ImGui::Dummy({ui.px(440), ui.px(8)});
  if (button(ui, "Close", ButtonKind::primary)) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
  return changed;
}

}  // namespace app::gui
