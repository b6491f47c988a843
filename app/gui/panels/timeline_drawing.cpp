#include "app/gui/panels/timeline_drawing.hpp"

#include <fmt/format.h>

#include <cmath>

namespace app::gui {

const view::StepRecord* shown_step(const Workbench& bench) {
  if (bench.position() < 0 || bench.position() >= bench.sequence().tokens()) return nullptr;
  const std::int32_t index = bench.run().step_index(bench.sequence().token(bench.position()).step);
  return index < 0 ? nullptr : &bench.run().step(index);
}

bool pointer_in(ImVec2 low, ImVec2 high) {
  const ImVec2 at = ImGui::GetIO().MousePos;
  return at.x >= low.x && at.x < high.x && at.y >= low.y && at.y < high.y;
}

void write_in(ImDrawList& list, ImVec2 low, ImVec2 high, const std::string& text, const std::string& shorter,
              ImU32 ink, float padding) {
  const float room = high.x - low.x - 2 * padding;
  for (const std::string* candidate : {&text, &shorter}) {
    const ImVec2 size = ImGui::CalcTextSize(candidate->c_str());
    if (candidate->empty() || size.x > room) continue;
    list.AddText({std::round((low.x + high.x - size.x) / 2), std::round((low.y + high.y - size.y) / 2)}, ink,
                 candidate->c_str());
    return;
  }
}

std::string name_of_operation(const view::RunSnapshot& run, std::int16_t operation) {
  const auto& names = run.run().operations;
  if (operation >= 0 && static_cast<std::size_t>(operation) < names.size())
    return names[static_cast<std::size_t>(operation)];
  return fmt::format("operation {}", operation);
}

std::string short_name(const std::string& name) {
  if (name == "attention") return "attn";
  const std::size_t cut = name.rfind('_');
  return cut == std::string::npos ? name.substr(0, 4) : name.substr(cut + 1);
}

std::string phase_name(engine::Phase phase) {
  return phase == engine::Phase::prefill ? "prefill" : "decode";
}

void tooltip_line(const Ui& ui, const char* name, const std::string& value, Role role) {
  label(ui, name, Role::text2, Face::ui, text_size::kTable);
  ImGui::SameLine(ui.px(76));
  label(ui, value.c_str(), role, Face::mono, text_size::kTable);
}

void tooltip_note(const Ui& ui, const std::string& text, Role role) {
  ImGui::PushTextWrapPos(ui.px(320));
  label(ui, text.c_str(), role, Face::ui, text_size::kCaption);
  ImGui::PopTextWrapPos();
}

void outline(ImDrawList& list, const Ui& ui, ImVec2 low, ImVec2 high, Role role) {
  const float casing = ui.px(1);
  list.AddRect({low.x - casing, low.y - casing}, {high.x + casing, high.y + casing}, ui.u32(Role::casing),
               ui.px(2), 0, casing);
  list.AddRect(low, high, ui.u32(role), ui.px(2), 0, ui.px(1.5F));
}

}  // namespace app::gui
