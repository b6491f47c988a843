// The three fixed strips around the panels: menus and facts, the transport, the status bar.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/gui/shell/commands.hpp"
#include "app/gui/widgets/ui.hpp"

namespace app::gui {

// A window over the whole width, without frame; ImGui::End() ends it.
void begin_strip(Ui& ui, const char* name, float top, float height, Role background);

// A chip: as text, in brief or as its dot alone, whichever there is room for. Pointing at it shows the text
// and explains its words; a click runs "run.facts".
struct Fact {
  std::string text;
  std::optional<Role> dot = {};
  std::string brief = {};
  std::vector<std::string> words = {};  // of the glossary
};

// Draws the menu row; returns its height. `layout` is the index of the chosen one and may change.
float draw_menu_row(Ui& ui, const Commands& commands, const std::vector<std::string>& layouts, int& layout,
                    const std::vector<Fact>& facts);

// The transport of an empty window, from `top` down; returns its height. `state`: what is going on already.
float draw_empty_transport(Ui& ui, float top, const std::string& state);

struct StatusEntry {
  std::string text;
  std::string word = {};  // of the glossary, explained on hover
};
struct StatusText {
  std::string state;
  bool busy = false;
  std::vector<StatusEntry> left;
  std::vector<StatusEntry> right;  // the last ones stay where there is little room
};
// At the bottom; returns its height.
float draw_status_bar(Ui& ui, const StatusText& status);

}  // namespace app::gui
