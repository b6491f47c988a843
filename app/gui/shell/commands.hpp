// Everything the window can do, once: the menus, the palette and the shortcuts all read this table.
#pragma once

#include <imgui.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace app::gui {

struct Command {
  std::string id;     // "file.open_trace": what settings and tests name
  std::string title;  // "Open trace…"
  std::string menu;   // "File"; empty: in the palette only
  std::string keys;   // the default shortcut, may be empty
  std::function<void()> run;
  std::function<bool()> enabled;  // none: always
  std::function<bool()> checked;  // none: not a switch
  bool separator_before = false;
};

class Commands {
 public:
  void add(Command command);
  // Replaces default shortcuts by the user's; returns a line for each that cannot be used.
  std::vector<std::string> apply_shortcuts(const std::map<std::string, std::string>& shortcuts);
  // False if another command has these keys already.
  bool remap(std::string_view id, ImGuiKeyChord chord);

  const std::vector<Command>& all() const { return commands_; }
  const Command* find(std::string_view id) const;
  ImGuiKeyChord chord(std::string_view id) const;
  std::string keys(std::string_view id) const;
  const Command* with_chord(ImGuiKeyChord chord) const;
  bool is_enabled(const Command& command) const { return !command.enabled || command.enabled(); }

  // Runs the command if it is enabled. False if it is not or there is none.
  bool run(std::string_view id) const;
  // Runs what was pressed in this frame, unless it would be typed into a text field.
  void run_shortcuts() const;
  // Those whose title has all words of the query, best first: title starts with it, a word does, contains it.
  std::vector<const Command*> search(std::string_view query) const;

 private:
  std::vector<Command> commands_;
  std::map<std::string, ImGuiKeyChord, std::less<>> chords_;
};

}  // namespace app::gui
