// Keys of a shortcut as text and back: "Ctrl+Shift+P", "?", "F1", "Left".
#pragma once

#include <imgui.h>

#include <optional>
#include <string>
#include <string_view>

namespace app::gui {

std::optional<ImGuiKeyChord> parse_chord(std::string_view text);
std::string chord_text(ImGuiKeyChord chord);
// The keys pressed in this frame, without a lone modifier; 0 if none. For recording a shortcut.
ImGuiKeyChord pressed_chord();

}  // namespace app::gui
