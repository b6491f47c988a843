// What the lanes of the kernel timeline share: names as they fit into boxes, outlines, lines of tooltips.
#pragma once

#include <string>

#include "app/gui/widgets/ui.hpp"
#include "app/gui/workbench/workbench.hpp"
#include "app/view/run_snapshot.hpp"

namespace app::gui {

// Of the position shown; null: there is none.
const view::StepRecord* shown_step(const Workbench& bench);

bool pointer_in(ImVec2 low, ImVec2 high);

// Written in the middle of a box if it fits, in full or shortened to `shorter`.
void write_in(ImDrawList& list, ImVec2 low, ImVec2 high, const std::string& text, const std::string& shorter,
              ImU32 ink, float padding);

std::string name_of_operation(const view::RunSnapshot& run, std::int16_t operation);
// "mlp_up" -> "up", "attention" -> "attn".
std::string short_name(const std::string& name);
std::string phase_name(engine::Phase phase);

void tooltip_line(const Ui& ui, const char* name, const std::string& value, Role role = Role::text);
void tooltip_note(const Ui& ui, const std::string& text, Role role = Role::text3);

void outline(ImDrawList& list, const Ui& ui, ImVec2 low, ImVec2 high, Role role);

}  // namespace app::gui
