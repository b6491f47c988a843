#include "app/gui/shell/chord.hpp"

#include <array>
#include <utility>

namespace app::gui {

namespace {

struct Modifier {
  ImGuiKeyChord bit;
  std::string_view name;
};
constexpr std::array kModifiers{Modifier{ImGuiMod_Ctrl, "Ctrl"}, Modifier{ImGuiMod_Shift, "Shift"},
                                Modifier{ImGuiMod_Alt, "Alt"}, Modifier{ImGuiMod_Super, "Super"}};

// Keys that people write another way than Dear ImGui. "?" needs Shift on most keyboards.
struct Written {
  std::string_view text;
  ImGuiKeyChord chord;
};
constexpr std::array kWritten{Written{"?", ImGuiMod_Shift | ImGuiKey_Slash},
                              Written{"Left", ImGuiKey_LeftArrow},
                              Written{"Right", ImGuiKey_RightArrow},
                              Written{"Up", ImGuiKey_UpArrow},
                              Written{"Down", ImGuiKey_DownArrow},
                              Written{"Esc", ImGuiKey_Escape},
                              Written{",", ImGuiKey_Comma}};

bool is_modifier(ImGuiKey key) {
  return key >= ImGuiKey_LeftCtrl && key <= ImGuiKey_RightSuper;
}

}  // namespace

std::optional<ImGuiKeyChord> parse_chord(std::string_view text) {
  ImGuiKeyChord chord = 0;
  for (bool found = true; found;) {
    found = false;
    for (const Modifier& modifier : kModifiers) {
      if (text.starts_with(modifier.name) && text.size() > modifier.name.size() + 1 &&
          text[modifier.name.size()] == '+') {
        chord |= modifier.bit;
        text.remove_prefix(modifier.name.size() + 1);
        found = true;
      }
    }
  }
  for (const Written& written : kWritten) {
    if (text == written.text) return chord | written.chord;
  }
  for (int key = ImGuiKey_NamedKey_BEGIN; key < ImGuiKey_NamedKey_END; ++key) {
    const auto named = static_cast<ImGuiKey>(key);
    if (!is_modifier(named) && text == ImGui::GetKeyName(named)) return chord | key;
  }
  return std::nullopt;
}

std::string chord_text(ImGuiKeyChord chord) {
  if (chord == 0) return {};
  for (const Written& written : kWritten) {
    if (chord == written.chord) return std::string(written.text);
  }
  std::string text;
  for (const Modifier& modifier : kModifiers) {
    if ((chord & modifier.bit) != 0) text += std::string(modifier.name) + "+";
  }
  const ImGuiKeyChord key = chord & ~ImGuiMod_Mask_;
  for (const Written& written : kWritten) {
    if (key == written.chord) return text + std::string(written.text);
  }
  return text + ImGui::GetKeyName(static_cast<ImGuiKey>(key));
}

ImGuiKeyChord pressed_chord() {
  for (int key = ImGuiKey_Tab; key < ImGuiKey_GamepadStart; ++key) {
    const auto named = static_cast<ImGuiKey>(key);
    if (!is_modifier(named) && ImGui::IsKeyPressed(named, false)) return ImGui::GetIO().KeyMods | key;
  }
  return 0;
}

}  // namespace app::gui
