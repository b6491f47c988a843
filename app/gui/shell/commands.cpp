#include "app/gui/shell/commands.hpp"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cassert>
#include <cctype>
#include <sstream>

#include "app/gui/shell/chord.hpp"

namespace app::gui {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return result;
}

// Smaller is better; -1: no match.
int rank(const Command& command, const std::string& query) {
  const std::string title = lower(command.title), context = lower(command.menu + " " + command.title);
  std::istringstream words(query);
  for (std::string word; words >> word;) {
    if (context.find(word) == std::string::npos) return -1;
  }
  if (title.starts_with(query)) return 0;
  if (title.find(" " + query) != std::string::npos) return 1;
  return title.find(query) != std::string::npos ? 2 : 3;
}

// Keys with which Dear ImGui walks through items and presses them.
bool moves_focus(ImGuiKey key) {
  return key == ImGuiKey_Space || key == ImGuiKey_LeftArrow || key == ImGuiKey_RightArrow ||
         key == ImGuiKey_Home || key == ImGuiKey_End;
}

// Keys that move the cursor of a text field, with Ctrl as well.
bool moves_cursor(ImGuiKeyChord keys) {
  const auto key = static_cast<ImGuiKey>(keys & ~ImGuiMod_Mask_);
  const bool moves = key == ImGuiKey_LeftArrow || key == ImGuiKey_RightArrow || key == ImGuiKey_UpArrow ||
                     key == ImGuiKey_DownArrow;
  return moves && (keys & ImGuiMod_Alt) == 0;
}

constexpr ImGuiID kShortcutOwner = 0x5c07c075;

// Whether a panel or the item with the focus has taken the bare key for itself, in the frame before.
bool is_taken(ImGuiKeyChord keys) {
  if ((keys & ImGuiMod_Mask_) != 0) return false;
  const ImGuiID owner = ImGui::GetKeyOwner(static_cast<ImGuiKey>(keys));
  return owner != ImGuiKeyOwner_NoOwner && owner != ImGuiKeyOwner_Any && owner != kShortcutOwner;
}

}  // namespace

void Commands::add(Command command) {
  assert(find(command.id) == nullptr);
  if (!command.keys.empty()) {
    const auto chord = parse_chord(command.keys);
    assert(chord && with_chord(*chord) == nullptr);
    if (chord) chords_[command.id] = *chord;
  }
  commands_.push_back(std::move(command));
}

std::vector<std::string> Commands::apply_shortcuts(const std::map<std::string, std::string>& shortcuts) {
  std::vector<std::string> problems;
  for (const auto& [id, keys] : shortcuts) {
    if (find(id) == nullptr) {
      problems.push_back(fmt::format("shortcuts: {}: no such command, ignored", id));
      continue;
    }
    const auto chord = keys.empty() ? std::optional<ImGuiKeyChord>(0) : parse_chord(keys);
    if (!chord) {
      problems.push_back(fmt::format("shortcuts: {}: '{}' is not a key, the default is used", id, keys));
    } else if (!remap(id, *chord)) {
      problems.push_back(fmt::format("shortcuts: {}: {} belongs to '{}' already, the default is used", id,
                                     keys, with_chord(*chord)->title));
    }
  }
  return problems;
}

bool Commands::remap(std::string_view id, ImGuiKeyChord chord) {
  const Command* owner = chord == 0 ? nullptr : with_chord(chord);
  if (owner != nullptr && owner->id != id) return false;
  chords_[std::string(id)] = chord;
  return true;
}

const Command* Commands::find(std::string_view id) const {
  const auto found =
      std::find_if(commands_.begin(), commands_.end(), [&](const Command& c) { return c.id == id; });
  return found == commands_.end() ? nullptr : &*found;
}

ImGuiKeyChord Commands::chord(std::string_view id) const {
  const auto found = chords_.find(id);
  return found == chords_.end() ? 0 : found->second;
}

std::string Commands::keys(std::string_view id) const {
  return chord_text(chord(id));
}

const Command* Commands::with_chord(ImGuiKeyChord chord) const {
  for (const auto& [id, own] : chords_) {
    if (own == chord) return find(id);
  }
  return nullptr;
}

bool Commands::run(std::string_view id) const {
  const Command* command = find(id);
  if (command == nullptr || !is_enabled(*command)) return false;
  command->run();
  return true;
}

void Commands::run_shortcuts() const {
  // Letters and arrows belong to a text field, an open menu or a dialog first.
  const bool elsewhere =
      ImGui::GetIO().WantTextInput || ImGui::IsPopupOpen(nullptr, ImGuiPopupFlags_AnyPopup);
  for (const Command& command : commands_) {
    const ImGuiKeyChord keys = chord(command.id);
    if (keys == 0 || is_taken(keys)) continue;
    const bool plain = (keys & (ImGuiMod_Ctrl | ImGuiMod_Alt)) == 0;
    if ((plain || moves_cursor(keys)) && elsewhere) continue;
    // Else Dear ImGui would press the item with the keyboard's focus on Space and leave it on arrows.
    if (plain && moves_focus(static_cast<ImGuiKey>(keys & ~ImGuiMod_Mask_)) && !ImGui::IsAnyItemActive())
      ImGui::SetKeyOwner(static_cast<ImGuiKey>(keys & ~ImGuiMod_Mask_), kShortcutOwner);
    if (!plain && moves_cursor(keys) && ImGui::GetIO().KeyCtrl)
      ImGui::SetKeyOwner(static_cast<ImGuiKey>(keys & ~ImGuiMod_Mask_), kShortcutOwner);
    if (ImGui::IsKeyChordPressed(keys) && is_enabled(command)) {
      command.run();
      return;  // a command may change this table
    }
  }
}

std::vector<const Command*> Commands::search(std::string_view query) const {
  const std::string wanted = lower(query);
  std::vector<std::pair<int, const Command*>> found;
  for (const Command& command : commands_) {
    if (const int place = rank(command, wanted); place >= 0) found.emplace_back(place, &command);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const Command*> commands;
  for (const auto& [place, command] : found) commands.push_back(command);
  return commands;
}

}  // namespace app::gui
